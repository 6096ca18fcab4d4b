"""The vector cache in a Redis server, shared by the processes of one installation."""

import threading
import time
from collections.abc import Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.embedding.cache import DAY, believed, wire
from core.embedding.space import Vectors
from core.telemetry import observe

PATIENCE = 0.05  # seconds for connecting and for each read; a slower server counts as a miss
FAILURES = 3  # in a row, after which the server is left alone
PAUSE = 30.0  # for so many seconds
CHUNK = 512  # keys a command, so that an answer comes within PATIENCE


class RedisCache:
    """Vectors as little-endian float32 bytes: one MGET and one pipelined SET with expiry a list."""

    def __init__(self, url: str, *, ttl: int = DAY) -> None:
        """Connects at first use.

        Args:
            url: `redis://host:port/0`, `rediss://…` or `unix://…`.
            ttl: seconds that a vector is kept.
        """
        self._ttl = ttl
        self._redis = redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._lock = threading.Lock()
        self._failed = 0
        self._skip_until = 0.0

    def get_many(self, keys: Sequence[bytes], dimension: int) -> list[Vectors | None]:
        """For each key its vector, or None."""
        kept: list[object] = []
        while len(kept) < len(keys) and self._usable():
            part = [b"triage:" + key for key in keys[len(kept) : len(kept) + CHUNK]]
            try:
                kept.extend(self._redis.mget(part))
            except (redis.RedisError, OSError):
                self._note(failed=True)
                break
            self._note(failed=False)
        return believed([*kept, *[None] * (len(keys) - len(kept))], dimension)

    def put_many(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep the vectors."""
        rows = wire(vectors)
        for start in range(0, len(keys), CHUNK):
            if not self._usable():
                return
            try:
                with self._redis.pipeline(transaction=False) as pipeline:
                    for key, raw in zip(keys[start : start + CHUNK], rows[start : start + CHUNK], strict=True):
                        pipeline.set(b"triage:" + key, raw, ex=self._ttl)
                    pipeline.execute()
            except (redis.RedisError, OSError):
                self._note(failed=True)
                return
            self._note(failed=False)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _usable(self) -> bool:
        return time.monotonic() >= self._skip_until

    def _note(self, *, failed: bool) -> None:
        if failed:
            observe.cache_failed()
        with self._lock:
            self._failed = self._failed + 1 if failed else 0
            if self._failed >= FAILURES:
                self._failed, self._skip_until = 0, time.monotonic() + PAUSE
