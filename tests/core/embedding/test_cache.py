import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis

from core.embedding.cache import CacheKeys, NoCache, VectorCache, installation_secret, open_cache
from core.embedding.cache_redis import RedisCache
from core.embedding.cache_sqlite import SqliteCache
from core.embedding.endpoint import normalised
from core.embedding.space import EmbeddingSpace, Vectors
from core.errors import SettingsError

SPACE = EmbeddingSpace("model", 48)
KEYS = CacheKeys(SPACE, b"s" * 32)


def some_vectors(count: int, seed: int = 0) -> Vectors:
    return normalised(np.random.default_rng(seed).standard_normal((count, 48)).astype(np.float32))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.01)
    yield url, process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@pytest.fixture(params=["sqlite", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorCache]:
    if request.param == "redis":
        opened = open_cache(request.getfixturevalue("redis_server")[0])
    else:
        opened = open_cache(f"sqlite:///{tmp_path / 'deep' / 'cache.sqlite'}")
    yield opened
    opened.close()


def test_what_was_put_is_got_in_order_and_the_rest_is_missed(cache: VectorCache) -> None:
    texts = [f"note {number}" for number in range(1200)]
    vectors = some_vectors(1200)
    cache.put_many(KEYS.of_many(texts), vectors)
    found = cache.get_many(KEYS.of_many(["unknown", *reversed(texts)]), 48)
    assert found[0] is None
    np.testing.assert_array_equal(np.stack([row for row in found[1:] if row is not None]), vectors[::-1])
    assert cache.get_many([], 48) == []


def test_a_lying_cache_is_a_miss(cache: VectorCache) -> None:
    keys = KEYS.of_many(["short", "long", "nan", "zero", "good"])
    good = some_vectors(1)[0]
    cache.put_many(keys[:1], good[None, :47])
    cache.put_many(keys[1:], np.stack([good * 2, good * np.nan, good * 0, good]))
    found = cache.get_many(keys, 48)
    assert [row is None for row in found] == [True, True, True, True, False]


def test_keys_differ_by_text_space_and_secret_and_hold_no_text() -> None:
    other_space = CacheKeys(EmbeddingSpace("model", 48, instruction="x"), b"s" * 32)
    other_secret = CacheKeys(SPACE, b"t" * 32)
    keys = [*KEYS.of_many(["胸痛", "chest"]), *other_space.of_many(["胸痛"]), *other_secret.of_many(["胸痛"])]
    assert len(set(keys)) == 4
    assert KEYS.of_many(["胸痛"]) == keys[:1]
    assert not any("胸痛".encode() in key or b"chest" in key for key in keys)


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = installation_secret(tmp_path / "desk")
    assert installation_secret(tmp_path / "desk") == first
    files = list((tmp_path / "desk").iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    (tmp_path / "file").write_text("")
    assert len(installation_secret(tmp_path / "file")) == 32


def test_sqlite_forgets_after_the_ttl(tmp_path: Path) -> None:
    cache = SqliteCache(tmp_path / "c.sqlite", ttl=-1)
    cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    assert cache.get_many(KEYS.of_many(["a"]), 48) == [None]
    cache.close()


def test_redis_is_told_the_ttl(redis_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    cache = RedisCache(redis_server[0], ttl=50)
    cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    cache.close()
    with redis.Redis.from_url(redis_server[0]) as client:
        (key,) = client.keys("*")
        assert 0 < client.ttl(key) <= 50
        assert len(client.get(key)) == 48 * 4


def test_sqlite_stays_within_its_bound_and_keeps_the_newest(tmp_path: Path) -> None:
    cache = SqliteCache(tmp_path / "c.sqlite", max_bytes=100 * (48 * 4 + 120))
    for batch in range(130):
        cache.put_many(KEYS.of_many([f"{batch} {n}" for n in range(10)]), some_vectors(10))
    newest = cache.get_many(KEYS.of_many([f"129 {n}" for n in range(10)]), 48)
    cache.close()
    with sqlite3.connect(tmp_path / "c.sqlite") as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone()[0] <= 100 + 640
    database.close()
    assert all(row is not None for row in newest)


@pytest.mark.parametrize("damage", [b"this is no database at all" * 400, b""])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(damage)
    cache = SqliteCache(path)
    for _ in range(2):
        cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    assert cache.get_many(KEYS.of_many(["a"]), 48)[0] is not None
    assert (tmp_path / "c.sqlite.damaged").exists() == bool(damage)
    cache.close()


def test_a_folder_that_cannot_be_made_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = SqliteCache(tmp_path / "file" / "c.sqlite")
    cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    assert cache.get_many(KEYS.of_many(["a"]), 48) == [None]


def test_a_locked_file_is_a_miss_soon(tmp_path: Path) -> None:
    cache = SqliteCache(tmp_path / "c.sqlite")
    cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    other = sqlite3.connect(tmp_path / "c.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    cache.put_many(KEYS.of_many(["b"]), some_vectors(1))
    assert time.monotonic() - started < 0.5
    other.rollback()
    other.close()
    assert cache.get_many(KEYS.of_many(["b"]), 48) == [None]
    cache.close()


WRITER = """
import sys
from pathlib import Path
import numpy as np
from core.embedding.cache import CacheKeys
from core.embedding.cache_sqlite import SqliteCache
from core.embedding.space import EmbeddingSpace
keys = CacheKeys(EmbeddingSpace("model", 48), b"s" * 32)
cache = SqliteCache(Path(sys.argv[1]))
rows = np.eye(48, dtype=np.float32)
hits = 0
for turn in range(60):
    names = keys.of_many([f"{turn} {n}" for n in range(48)])
    cache.put_many(names, rows)
    found = cache.get_many(names, 48)
    hits += sum(row is not None and int(row.argmax()) == n for n, row in enumerate(found))
    assert all(row is None or int(row.argmax()) == n for n, row in enumerate(found))
print(hits)
"""


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "c.sqlite")]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert all(int(output) > 0.9 * 60 * 48 for output in outputs)
    with sqlite3.connect(tmp_path / "c.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_killed_redis_is_a_miss(redis_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = redis_server
    cache = RedisCache(url)
    keys = KEYS.of_many(["a", "b"])
    cache.put_many(keys, some_vectors(2))
    process.kill()
    process.wait()
    assert cache.get_many(keys, 48) == [None, None]
    cache.put_many(keys, some_vectors(2))
    cache.close()


def test_a_hung_redis_is_a_miss_soon_and_then_left_alone(redis_server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = redis_server
    cache = RedisCache(url)
    keys = KEYS.of_many(["a"])
    cache.put_many(keys, some_vectors(1))
    process.send_signal(signal.SIGSTOP)
    for _ in range(3):
        started = time.monotonic()
        assert cache.get_many(keys, 48) == [None]
        assert time.monotonic() - started < 0.3
    started = time.monotonic()
    assert cache.get_many(keys, 48) == [None]
    assert time.monotonic() - started < 0.01
    cache.close()


def test_no_cache_keeps_nothing() -> None:
    cache = open_cache("none")
    assert isinstance(cache, NoCache)
    cache.put_many(KEYS.of_many(["a"]), some_vectors(1))
    assert cache.get_many(KEYS.of_many(["a"]), 48) == [None]


def test_an_unknown_cache_is_refused() -> None:
    with pytest.raises(SettingsError, match="TRIAGE_CACHE_URL"):
        open_cache("memcached://x")
