import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from core.access.allowance import Allowances
from core.settings import Settings
from tests.conftest import unused_port


def allowances(folder: Path, **given: object) -> Allowances:
    return Allowances(Settings(data_dir=folder, _env_file=None, api_notes_per_minute=5, **given))  # type: ignore[arg-type]


@pytest.fixture
def redis_url() -> Iterator[str]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    port = unused_port()
    server = subprocess.Popen(["redis-server", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.kill()
    server.wait()


def test_each_name_has_its_own(tmp_path: Path) -> None:
    here = allowances(tmp_path)
    assert here.take("notes", "a", 5) is None
    refused = here.take("notes", "a")
    assert refused is not None
    assert (refused.allowed, refused.period) == (5, "minute")
    assert refused.retry_after is not None and 1 <= refused.retry_after <= 60
    assert here.take("notes", "b") is None
    assert here.take("jobs", "a") is None
    assert not here.is_shared


def test_what_is_refused_uses_nothing(tmp_path: Path) -> None:
    here = allowances(tmp_path)
    assert here.take("notes", "a", 3) is None
    assert here.take("notes", "a", 3) is not None
    assert here.take("notes", "a", 2) is None


def test_more_than_is_ever_allowed_is_told_apart(tmp_path: Path) -> None:
    refused = allowances(tmp_path).take("notes", "a", 6)
    assert refused is not None
    assert refused.retry_after is None


def test_two_desks_share_a_redis(tmp_path: Path, redis_url: str) -> None:
    one, other = allowances(tmp_path, cache_url=redis_url), allowances(tmp_path, cache_url=redis_url)
    assert one.is_shared
    assert one.take("notes", "a", 4) is None
    refused = other.take("notes", "a", 2)
    assert refused is not None and refused.retry_after is not None and 1 <= refused.retry_after <= 60


def test_without_its_redis_a_desk_counts_alone(tmp_path: Path) -> None:
    alone = allowances(tmp_path, cache_url=f"redis://127.0.0.1:{unused_port()}/0")
    assert alone.take("notes", "a", 5) is None
    assert alone.take("notes", "a") is not None
