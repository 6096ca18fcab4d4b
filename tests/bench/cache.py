"""Vectors through the desk's Redis cache against bare commands of the same client for the same bytes."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import redis

from core.embedding.cache import DAY, CacheKeys, wire
from core.embedding.cache_redis import CHUNK, RedisCache
from core.embedding.endpoint import normalised
from core.embedding.space import EmbeddingSpace
from tests.bench.notes import unique_texts
from tests.bench.rates import timed
from tests.kills import services

SIZES = (CHUNK, 64, 1)  # texts a call: a table's, a small table's, a note's
DIMENSION = 384
REPETITIONS = 15


def redis_cache(folder: Path, scale: float) -> dict[str, Any]:
    """Vectors a second from texts to checked vectors, and from texts into Redis, each against the bare commands.

    The cache names its keys by a keyed hash, reads, and checks what it read; the bare client has its keys ready and
    leaves the bytes as they are: MGET, or SETs with expiry in one pipeline, of as many keys a command.
    """
    texts = unique_texts(max(CHUNK, int(8 * CHUNK * scale)))
    space = EmbeddingSpace("bench", DIMENSION)
    keys = CacheKeys(space, secrets.token_bytes(32))
    rows = np.random.default_rng(20).standard_normal((len(texts), DIMENSION)).astype(np.float32)
    vectors = normalised(rows)
    names, values = [b"triage:" + key for key in keys.of_many(texts)], wire(vectors)
    server = services.redis(folder)
    server.start()
    cache = RedisCache(f"redis://127.0.0.1:{server.port}/0")

    def get(part: slice) -> None:
        found = cache.get_many(keys.of_many(texts[part]), DIMENSION)
        assert all(vector is not None for vector in found), "a miss: this machine is too busy to measure"

    def put(part: slice) -> None:
        cache.put_many(keys.of_many(texts[part]), vectors[part])

    def bare_get(part: slice) -> None:
        client.mget(names[part])

    def bare_put(part: slice) -> None:
        with client.pipeline(transaction=False) as pipeline:
            for name, value in zip(names[part], values[part], strict=True):
                pipeline.set(name, value, ex=DAY)
            pipeline.execute()

    try:
        with redis.Redis(port=server.port) as client:
            writing = _rates_in_turn(bare_put, put, CHUNK, len(texts))
            assert client.mget(names) == values
            reading = {size: _rates_in_turn(bare_get, get, size, len(texts)) for size in SIZES}
    finally:
        cache.close()
        server.kill()
    return {
        "bench": "redis_cache_vs_bare_mget",
        "ratio": _ratio(reading[CHUNK]),
        "wanted": ">= 0.5",
        "ratio_by_texts_a_call": {size: _ratio(found) for size, found in reading.items()},
        "writing_ratio": _ratio(writing),
        "cache_per_second": {size: round(median(ours)) for size, (_, ours) in reading.items()},
        "bare_per_second": {size: round(median(bare)) for size, (bare, _) in reading.items()},
        "vectors": len(texts),
        "dimension": DIMENSION,
    }


def _rates_in_turn(
    bare: Callable[[slice], None], ours: Callable[[slice], None], size: int, count: int
) -> tuple[list[float], list[float]]:
    """Vectors a second of both, so many a call; a round gives each all of them."""
    parts = [slice(start, start + size) for start in range(0, count, size)]
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPETITIONS):
        for work, found in zip((bare, ours), rates, strict=True):
            found.append(count / timed(lambda work=work: [work(part) for part in parts]))  # type: ignore[misc]
    return rates


def _ratio(rates: tuple[Sequence[float], Sequence[float]]) -> float:
    return round(median(mine / other for other, mine in zip(*rates, strict=True)), 3)
