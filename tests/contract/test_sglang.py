"""The client against the real SGLang server, with a tiny model whose vectors mean nothing but whose wire is real.

`TRIAGE_TEST_SGLANG_PYTHON` names the interpreter that has SGLang, `TRIAGE_TEST_SGLANG_MODEL` the model's folder.
"""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from core.bulk.classify import RunReport, classify_table
from core.embedding.contract import check_endpoint
from core.embedding.endpoint import OpenAIEndpoint
from core.embedding.open import open_embedder
from core.errors import EndpointRefused, EndpointUnavailable, NoteError
from core.model.train import train_bundle
from core.settings import QWEN3_INSTRUCTION, Settings
from core.triage import TriageDesk
from tests.conftest import SMALL_RECIPE

PYTHON, MODEL = os.environ.get("TRIAGE_TEST_SGLANG_PYTHON"), os.environ.get("TRIAGE_TEST_SGLANG_MODEL")
pytestmark = [
    pytest.mark.sglang,
    pytest.mark.skipif(
        not (PYTHON and MODEL), reason="SGLang is not set up: `make test-sglang` sets it up, or set its two variables"
    ),
]
START = 180  # seconds that a start may take on a busy machine
KEY = "a-key"
TEXTS = [f"第{number}位患者胸痛，patient number {number} reports pain" for number in range(500)]


class SGLang:
    """A real server on a port of its own that can be killed and brought back."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._log = tempfile.TemporaryFile()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; `wait_ready` tells when it answers."""
        cpu = {"SGLANG_USE_CPU_ENGINE": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"}
        flags = "--is-embedding --device cpu --attention-backend torch_native --max-total-tokens 65536".split()
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--api-key", KEY]
        self._process = subprocess.Popen(
            [str(PYTHON), "-W", "ignore", "-m", "sglang.launch_server", "--model-path", str(MODEL), *flags, *place],
            env={**os.environ, **cpu},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self) -> None:
        """Return when the server answers."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        pytest.fail("SGLang did not start")

    def kill(self) -> None:
        """SIGKILL the server and the processes that it started."""
        if self._process is None:
            return
        family = [*psutil.Process(self._process.pid).children(recursive=True), psutil.Process(self._process.pid)]
        for process in family:
            process.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, timeout=10)
        self._process = None

    def close(self) -> None:
        """Kill it and let go of its log."""
        self.kill()
        self._log.close()


@pytest.fixture(scope="module")
def sglang() -> Iterator[SGLang]:
    server = SGLang()
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


@pytest.fixture
def settings(sglang: SGLang, tmp_path: Path) -> Settings:
    changes: dict[str, Any] = {"embedding_model": "Qwen/Qwen3-Embedding-0.6B", "embedding_api_key": KEY}
    return Settings(
        _env_file=None, embedding_url=sglang.url, embedding_timeout=60, cache_url="none", data_dir=tmp_path, **changes
    )


def test_lists_come_back_in_order_and_like_single_texts(settings: Settings) -> None:
    with open_embedder(settings) as embedder:
        assert embedder.space.dimension == 1024
        assert embedder.space.instruction == QWEN3_INSTRUCTION
        found = embedder.embed(TEXTS[:100], timeout=120).vectors
        single = np.vstack([embedder.embed([text], timeout=120).vectors for text in TEXTS[:10]])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.einsum("ij,ij->i", found[:10], single).min() > 0.999


def test_matryoshka_needs_no_launch_flag(settings: Settings) -> None:
    with open_embedder(settings.model_copy(update={"embedding_dimensions": 256})) as embedder:
        assert embedder.embed(["胸痛"], timeout=60).vectors.shape == (1, 256)


def test_a_blank_text_in_a_list_costs_nobody_else_a_vector(settings: Settings) -> None:
    with open_embedder(settings) as embedder:
        found = embedder.embed(["胸痛", "  ", "headache"], timeout=60)
    assert {place: type(error) for place, error in found.errors.items()} == {1: NoteError}
    assert np.isfinite(found.vectors[[0, 2]]).all()


def test_an_over_long_text_in_a_list_is_found_or_cut(settings: Settings) -> None:
    long = "chest pain 胸痛 " * 20_000
    with open_embedder(settings.model_copy(update={"embedding_max_tokens": 100_000})) as embedder:
        found = embedder.embed(["胸痛", long, "headache"], timeout=60)
    assert {place: type(error) for place, error in found.errors.items()} == {1: EndpointRefused}
    assert np.isfinite(found.vectors[[0, 2]]).all()
    with open_embedder(settings.model_copy(update={"embedding_max_tokens": 256})) as embedder:
        found = embedder.embed(["胸痛", long, "headache"], timeout=60)
    assert found.truncated == {1}
    assert not found.errors


def test_a_wrong_key_is_said(settings: Settings) -> None:
    with pytest.raises(EndpointRefused, match="TRIAGE_EMBEDDING_API_KEY"):
        open_embedder(settings.model_copy(update={"embedding_api_key": None}))


def test_it_keeps_the_contract(settings: Settings) -> None:
    # The tiny model reads 1,024 tokens, and its 500-word tokenizer takes three for a Chinese character.
    report = check_endpoint(settings.model_copy(update={"embedding_max_tokens": 200}))
    assert report.passed, [check for check in report.checks if not check.passed]


def test_a_server_killed_in_the_middle_and_brought_back_loses_nothing(
    sglang: SGLang, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    canaries_sent: list[float] = []
    real = OpenAIEndpoint.embed

    def watched(self: OpenAIEndpoint, texts: Any, **limits: Any) -> Any:
        if len(texts) == 4:
            canaries_sent.append(time.monotonic())
        return real(self, texts, **limits)

    monkeypatch.setattr(OpenAIEndpoint, "embed", watched)
    with open_embedder(settings.model_copy(update={"embedding_concurrency": 2})) as embedder:
        expected = embedder.embed(TEXTS[-20:], timeout=120).vectors
        begun, found = threading.Event(), []
        worker = in_background(lambda: found.append(embedder.embed(TEXTS, timeout=600, on_done=lambda _: begun.set())))
        assert begun.wait(60)
        sglang.kill()
        killed = time.monotonic()
        with pytest.raises(EndpointUnavailable):
            embedder.embed(["now"])
        sglang.start()
        sglang.wait_ready()
        worker.join(600)
    assert not found[0].errors
    assert np.isfinite(found[0].vectors).all()
    assert np.einsum("ij,ij->i", found[0].vectors[-20:], expected).min() > 0.999
    assert any(moment > killed for moment in canaries_sent)


def test_classifying_500_notes_through_an_outage_loses_no_row(
    sglang: SGLang, settings: Settings, small_table: Path, tmp_path: Path
) -> None:
    site = settings.model_copy(update={"embedding_max_tokens": 200, "embedding_concurrency": 2})
    with open_embedder(site) as embedder:
        train_bundle([small_table], tmp_path / "bundle", embedder, SMALL_RECIPE)
    pd.DataFrame({"note": TEXTS}).to_csv(tmp_path / "in.csv", index=False)
    found: list[RunReport] = []
    with TriageDesk.open(site.model_copy(update={"model": tmp_path / "bundle"})) as desk:
        worker = in_background(
            lambda: found.append(
                classify_table(tmp_path / "in.csv", tmp_path / "out.csv", desk, progress=False, patience=300)
            )
        )
        time.sleep(1.5)
        sglang.kill()
        assert worker.is_alive(), "the run was over before the server was killed"
        sglang.start()
        sglang.wait_ready()
        worker.join(600)
    answers = pd.read_csv(tmp_path / "out.csv")
    assert found[0].rows == 500
    assert answers["note"].tolist() == TEXTS
    assert (answers["status"] == "ok").all()
    assert answers["department"].notna().all()


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread
