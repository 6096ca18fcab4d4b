"""The vector cache in a SQLite file: the default, safe with several processes."""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.embedding.cache import DAY, believed, wire
from core.embedding.space import Vectors
from core.telemetry import observe

PATIENCE = 0.05  # seconds to wait for another process's write; longer counts as a miss
CHUNK = 500  # keys a query
SWEEP_EVERY = 64  # puts between sweeps of what is too old or too much

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, key BLOB UNIQUE, made INTEGER, vector BLOB)"


class SqliteCache:
    """Vectors in one table; the oldest go first. A file that SQLite can't read is set aside and begun anew."""

    def __init__(self, path: Path, *, ttl: int = DAY, max_bytes: int = 1 << 30) -> None:
        """Opens nothing yet.

        Args:
            path: the file; its folder is made.
            ttl: seconds that a vector counts.
            max_bytes: about as large as the file may grow.
        """
        self._path, self._ttl, self._max_bytes = path, ttl, max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._puts = 0

    def get_many(self, keys: Sequence[bytes], dimension: int) -> list[Vectors | None]:
        """For each key its vector, or None."""
        kept: dict[bytes, bytes] = {}

        def read(database: sqlite3.Connection) -> None:
            oldest = int(time.time()) - self._ttl
            for start in range(0, len(keys), CHUNK):
                part = keys[start : start + CHUNK]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks}) AND made > ?"  # noqa: S608 -- marks only
                kept.update(database.execute(query, (*part, oldest)).fetchall())

        self._try(read)
        return believed([kept.get(key) for key in keys], dimension)

    def put_many(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep the vectors, in one transaction."""
        now = int(time.time())
        rows = [(key, now, raw) for key, raw in zip(keys, wire(vectors), strict=True)]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO vectors (key, made, vector) VALUES (?, ?, ?)", rows)
                self._puts += 1
                if self._puts % SWEEP_EVERY == 1:
                    self._sweep(database, len(rows[0][2]) if rows else 0)

        self._try(write)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._forget()

    def _sweep(self, database: sqlite3.Connection, size: int) -> None:
        """Delete what is too old, and the oldest beyond the bound. Ids grow with time, so the range is a bound."""
        database.execute(
            "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id LIMIT 5000) AND made < ?",
            (int(time.time()) - self._ttl,),
        )
        most = max(self._max_bytes // (size + 120), 1)
        database.execute("DELETE FROM vectors WHERE id <= (SELECT max(id) FROM vectors) - ?", (most,))

    def _try(self, action: Callable[[sqlite3.Connection], None]) -> None:
        """Do it if the file lets us; a damaged file is set aside, so that the next call finds a new one."""
        with self._lock:
            try:
                action(self._database())
            except sqlite3.OperationalError:  # locked, full, read-only: a miss
                self._failed()
            except sqlite3.DatabaseError:
                self._failed()
                self._set_aside()
            except (OSError, OverflowError):
                self._failed()

    def _database(self) -> sqlite3.Connection:
        if self._process != os.getpid():  # a connection must not be used across a fork
            self._connection, self._process = None, os.getpid()
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=PATIENCE, check_same_thread=False)
            self._connection = database
            database.execute("PRAGMA page_size=16384")  # of a new file: several vectors a page
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")  # a cache may lose its last seconds, not its integrity in WAL
            database.execute(_SCHEMA)
        return self._connection

    def _failed(self) -> None:
        observe.cache_failed()
        self._forget()

    def _forget(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _set_aside(self) -> None:
        with contextlib.suppress(OSError):
            self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
