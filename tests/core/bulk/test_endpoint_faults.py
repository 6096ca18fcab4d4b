"""Classifying through a real client over an endpoint that fails: every row comes back, or the run says why."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from core.bulk.classify import classify_table
from core.bulk.run import RunStopped
from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import Settings
from core.triage import TriageDesk
from tests.conftest import SMALL_RECIPE
from tests.fault_server import Behaviour, FaultServer


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def desk(server: FaultServer, small_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TriageDesk]:
    """A desk with a bundle trained for the server's space, and no cache, so that every note travels."""
    folder = tmp_path_factory.mktemp("faults")
    settings = Settings(
        embedding_url=server.url, embedding_model=server.model, data_dir=folder, cache_url="none", _env_file=None
    )
    with open_embedder(settings) as embedder:
        train_bundle([small_table], folder / "bundle", embedder, SMALL_RECIPE)
    with TriageDesk.open(settings.model_copy(update={"model": folder / "bundle"})) as opened:
        yield opened


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.csv"
    pd.DataFrame({"id": range(400), "text": [f"note {i} 头疼" for i in range(400)]}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(hang="before"),
        Behaviour(hang="middle"),
        Behaviour(status=503, retry_after="0.1"),
        Behaviour(status=429, flat=True),
        Behaviour(reset=True),
        Behaviour(status=500, html=True),
        Behaviour(html=True),
        Behaviour(value="nan"),
        Behaviour(change=-1),
    ],
)
def test_a_fault_that_passes_costs_no_row(
    server: FaultServer, desk: TriageDesk, notes: Path, tmp_path: Path, fault: Behaviour
) -> None:
    server.script(fault)
    report = classify_table(notes, tmp_path / "out.csv", desk, shard_rows=100, patience=3.0)
    assert (report.rows, report.errors) == (400, 0)
    assert pd.read_csv(tmp_path / "out.csv")["id"].tolist() == list(range(400))


def test_faults_at_a_fifth_of_all_calls_lose_no_row_and_change_none(
    server: FaultServer, desk: TriageDesk, tmp_path: Path
) -> None:
    notes = tmp_path / "many.csv"
    pd.DataFrame({"id": range(5000), "text": [f"note {i} 头疼 {i % 7} 天" for i in range(5000)]}).to_csv(
        notes, index=False
    )
    classify_table(notes, tmp_path / "calm.csv", desk)
    before = len(server.requests)
    server.trouble = 0.2
    try:
        report = classify_table(notes, tmp_path / "troubled.csv", desk)
    finally:
        server.trouble = 0.0
    assert len(server.requests) - before > 20  # there was something to go wrong
    assert report.errors == 0
    assert (tmp_path / "troubled.csv").read_bytes() == (tmp_path / "calm.csv").read_bytes()


def test_an_endpoint_that_hangs_for_good_stops_the_run_and_keeps_what_is_done(
    server: FaultServer, desk: TriageDesk, notes: Path, tmp_path: Path
) -> None:
    server.behaviour = Behaviour(hang="middle")
    try:
        with pytest.raises(RunStopped, match=r"of 400 rows are done and kept; run the same command again"):
            classify_table(notes, tmp_path / "out.csv", desk, shard_rows=100, patience=0.5)
    finally:
        server.behaviour = Behaviour()
    assert not (tmp_path / "out.csv").exists()
    assert classify_table(notes, tmp_path / "out.csv", desk, shard_rows=100).errors == 0


def test_a_row_that_the_endpoint_refuses_fails_alone(
    server: FaultServer, desk: TriageDesk, notes: Path, tmp_path: Path
) -> None:
    server.behaviour = Behaviour(refuse_text="note 77 ")
    try:
        report = classify_table(notes, tmp_path / "out.csv", desk, patience=2.0)
    finally:
        server.behaviour = Behaviour()
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert report.errors == 1
    assert found.index[found["status"] == "error"].tolist() == [77]
    assert bool(found["needs_review"][77])
