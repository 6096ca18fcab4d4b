"""Vectors kept between calls, so that a text is embedded once a day.

A cache never fails a note: one that is broken, slow or lies counts as a miss. It holds no text: keys are keyed hashes.
"""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np

from core.embedding.space import EmbeddingSpace, Vectors
from core.errors import SettingsError
from core.files import put_once

SECRET_FILE = "cache-secret"  # noqa: S105 - its name
DAY = 86_400  # seconds
FOR_TRAINING = 90 * DAY  # so that a table which is trained on again next month need not be embedded again
UNIT_TOLERANCE = 1e-3  # how far a kept vector's length may be from 1


class VectorCache(Protocol):
    """Keeps vectors by key for a while. No method raises for what the storage does."""

    def get_many(self, keys: Sequence[bytes], dimension: int) -> list[Vectors | None]:
        """For each key its vector (dimension,), or None."""
        ...

    def put_many(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep one row of `vectors` (n, dimension) for each key."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class NoCache:
    """Keeps nothing."""

    def get_many(self, keys: Sequence[bytes], dimension: int) -> list[Vectors | None]:
        """A miss for each key."""
        return [None] * len(keys)

    def put_many(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""


class CacheKeys:
    """Names texts in a cache: the space's id and a hash of the text that needs this installation's secret to guess."""

    def __init__(self, space: EmbeddingSpace, secret: bytes) -> None:
        """Binds the names to a space.

        Args:
            space: vectors of other spaces get other keys.
            secret: 32 bytes that only this installation knows.
        """
        self._prefix = space.id.encode() + b":"
        self._hash = hashlib.blake2b(space.id.encode() + b"\0", key=secret, digest_size=16)

    def of_many(self, texts: Sequence[str]) -> list[bytes]:
        """The key of each cleaned text."""
        keys = []
        for text in texts:
            state = self._hash.copy()
            state.update(text.encode())
            keys.append(self._prefix + state.digest())
        return keys


def wire(vectors: Vectors) -> list[bytes]:
    """Each row as little-endian float32 bytes."""
    rows = np.ascontiguousarray(vectors, "<f4")
    raw, size = rows.tobytes(), rows.shape[1] * 4
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def believed(kept: Sequence[object], dimension: int) -> list[Vectors | None]:
    """The kept bytes as vectors; None for what has another length, is no number, or is not of length 1."""
    size = dimension * 4
    places = [place for place, raw in enumerate(kept) if isinstance(raw, bytes) and len(raw) == size]
    found: list[Vectors | None] = [None] * len(kept)
    if not places:
        return found
    joined = b"".join(raw for raw in (kept[place] for place in places) if isinstance(raw, bytes))
    vectors = np.frombuffer(joined, "<f4").reshape(-1, dimension).astype(np.float32, copy=False)
    with np.errstate(all="ignore"):  # whatever bits a lying cache holds
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        good = np.abs(lengths - 1.0) < UNIT_TOLERANCE  # false for NaN
    for place, vector, is_good in zip(places, vectors, good, strict=True):
        if is_good:
            found[place] = vector
    return found


def installation_secret(data_dir: Path) -> bytes:
    """The 32 bytes that key this installation's hashes, made at the first call (file mode 0600).

    Where `data_dir` can't be written, they are others at each call (`kept_secret`).
    """
    path = data_dir / SECRET_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            put_once(path, secrets.token_bytes(32))
        secret = path.read_bytes()
    except OSError:
        secret = b""
    return secret if len(secret) == 32 else secrets.token_bytes(32)


def kept_secret(data_dir: Path) -> bytes | None:
    """The same 32 bytes, where the next process will find them, too; else none."""
    secret = installation_secret(data_dir)
    try:
        return secret if (data_dir / SECRET_FILE).read_bytes() == secret else None
    except OSError:
        return None


def open_cache(url: str, *, ttl: int = DAY, max_bytes: int = 1 << 30) -> VectorCache:
    """The cache that `url` names; it connects at first use.

    Args:
        url: `sqlite:///PATH`, `redis://…`, `rediss://…`, `unix://…` or `none`.
        ttl: seconds that a vector is kept.
        max_bytes: size bound of a SQLite cache; a Redis server has its own.

    Raises:
        SettingsError: the URL names no cache that is known.
    """
    if url == "none":
        return NoCache()
    kind = urlsplit(url).scheme
    if kind == "sqlite":
        from core.embedding.cache_sqlite import SqliteCache

        return SqliteCache(Path(url.removeprefix("sqlite:///")), ttl=ttl, max_bytes=max_bytes)
    if kind in ("redis", "rediss", "unix"):
        from core.embedding.cache_redis import RedisCache

        return RedisCache(url, ttl=ttl)
    raise SettingsError("TRIAGE_CACHE_URL: expected sqlite:///PATH, redis://HOST:PORT/0 or none")
