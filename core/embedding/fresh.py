"""Vectors that have just come from the endpoint, on their way into the cache."""

import time
from collections.abc import Sequence

import numpy as np

from core.embedding.cache import CacheKeys, VectorCache
from core.embedding.member import Row
from core.errors import EndpointError


class Fresh:
    """Vectors that have just come, on their way into the cache, many at a time.

    Where the endpoint is about as fast as the cache, not all are kept: they are as soon had again, and no call should
    take longer for the sake of the next.
    """

    MANY = 512  # texts put at once
    MOST = 0.05  # share of a call's time that putting may take, the first time aside

    def __init__(self, cache: VectorCache, keys: CacheKeys | None) -> None:
        self._cache, self._keys = cache, keys
        self._texts: list[str] = []
        self._rows: list[Row] = []
        self._began, self._spent = time.monotonic(), 0.0

    def add(self, texts: Sequence[str], rows: Sequence[Row | EndpointError]) -> None:
        """Take the vectors of `texts`; those that are none are passed over."""
        if self._keys is None or self._spent > self.MOST * (time.monotonic() - self._began):
            return
        for text, row in zip(texts, rows, strict=True):
            if not isinstance(row, EndpointError):
                self._texts.append(text)
                self._rows.append(row)
        if len(self._texts) >= self.MANY:
            self.keep()

    def keep(self) -> None:
        """Put what has come into the cache."""
        texts, rows, self._texts, self._rows = self._texts, self._rows, [], []
        if texts and self._keys is not None:
            started = time.monotonic()
            self._cache.put_many(self._keys.of_many(texts), np.stack(rows))
            self._spent += time.monotonic() - started
