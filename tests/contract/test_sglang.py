"""The client against one real SGLang server, with a tiny model whose vectors mean nothing but whose wire is real."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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
from tests.contract.servers import MAX_TOKENS, MODEL_NAME, NOT_SET_UP, SET_UP, SGLang

pytestmark = [pytest.mark.sglang, pytest.mark.skipif(not SET_UP, reason=NOT_SET_UP)]
KEY = "a-key"
TEXTS = [f"第{number}位患者胸痛，patient number {number} reports pain" for number in range(500)]


@pytest.fixture(scope="module")
def sglang() -> Iterator[SGLang]:
    with SGLang(key=KEY) as server:
        yield server


@pytest.fixture
def settings(sglang: SGLang, tmp_path: Path) -> Settings:
    changes: dict[str, Any] = {"embedding_model": MODEL_NAME, "embedding_api_key": KEY}
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
    report = check_endpoint(settings.model_copy(update={"embedding_max_tokens": MAX_TOKENS}))
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
    sglang: SGLang, settings: Settings, few_notes: Path, tmp_path: Path
) -> None:
    site = settings.model_copy(update={"embedding_max_tokens": MAX_TOKENS, "embedding_concurrency": 2})
    with open_embedder(site) as embedder:
        train_bundle([few_notes], tmp_path / "bundle", embedder, SMALL_RECIPE)
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
