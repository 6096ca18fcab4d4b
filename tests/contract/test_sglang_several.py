"""Tables and notes on two real SGLang servers, by themselves and behind the real sglang-router; notes before tables."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from core.bulk.classify import classify_table
from core.embedding.contract import check_endpoint
from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import Settings
from core.triage import TriageDesk
from tests.conftest import SMALL_RECIPE
from tests.contract.servers import MAX_TOKENS, MODEL_NAME, NOT_SET_UP, PRIORITY, SET_UP, Router, SGLang

pytestmark = [pytest.mark.sglang, pytest.mark.skipif(not SET_UP, reason=NOT_SET_UP)]
NOTES = [f"第{number}位患者胸痛，patient number {number} reports pain" for number in range(900)]
Pair = tuple[SGLang, SGLang]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers on their ports, not started yet."""
    servers = tuple(SGLang("--enable-metrics", *PRIORITY) for _ in range(2))
    try:
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def servers(pair: Pair) -> Pair:
    """Both servers, alive; one that an earlier test killed is brought back."""
    for server in pair:
        if not server.running:
            server.start()
    for server in pair:
        server.wait_ready()
    return pair


@pytest.fixture
def router(servers: Pair) -> Iterator[Router]:
    with Router(*servers) as front:
        yield front


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("several")


@pytest.fixture
def settings(servers: Pair, few_notes: Path, folder: Path) -> Settings:
    """A site at the first server, with a bundle that was trained there."""
    site = Settings(
        _env_file=None,
        embedding_url=servers[0].url,
        embedding_model=MODEL_NAME,
        embedding_max_tokens=MAX_TOKENS,
        embedding_timeout=60,
        cache_url="none",
        data_dir=folder / "data",
    )
    if not (folder / "bundle").exists():
        with open_embedder(site) as embedder:
            train_bundle([few_notes], folder / "bundle", embedder, SMALL_RECIPE)
    return site.model_copy(update={"model": folder / "bundle"})


def test_a_note_with_priority_is_answered_before_the_tables_queue(
    servers: Pair, settings: Settings, tmp_path: Path
) -> None:
    site = settings.model_copy(update={"embedding_priority": 10})
    with TriageDesk.open(site) as desk, ThreadPoolExecutor(1) as beside:
        run = beside.submit(classified, desk, tmp_path)
        wait_until(lambda: servers[0].texts_queued() > len(NOTES) // 2)
        waiting = servers[0].texts_queued()
        assessment = desk.assess("胸口压着痛半小时 crushing chest pain")
        still_waiting = servers[0].texts_queued()
        answers = run.result(600)
    assert assessment.tasks["department"].label
    assert still_waiting > waiting // 2  # in a queue without priorities the note had been the last
    assert_each_note_is_classified(answers)


def test_of_two_servers_both_work_and_one_that_is_killed_costs_no_row(
    servers: Pair, settings: Settings, tmp_path: Path
) -> None:
    site = settings.model_copy(update={"embedding_url": ",".join(server.url for server in servers)})
    answers = classified_while_one_is_killed(site, servers, tmp_path)
    assert_each_note_is_classified(answers)


def test_the_contract_is_kept_through_the_router(router: Router, settings: Settings) -> None:
    report = check_endpoint(settings.model_copy(update={"embedding_url": router.url}))
    assert report.passed, [check for check in report.checks if not check.passed]


def test_behind_the_router_both_work_and_one_that_is_killed_costs_no_row(
    servers: Pair, router: Router, settings: Settings, tmp_path: Path
) -> None:
    site = settings.model_copy(update={"embedding_url": router.url})
    answers = classified_while_one_is_killed(site, servers, tmp_path)
    assert_each_note_is_classified(answers)


def classified_while_one_is_killed(site: Settings, servers: Pair, folder: Path) -> pd.DataFrame:
    """The answers of a run during which both servers worked, until the second was killed."""
    before = [server.texts_answered() for server in servers]
    enough = 32  # texts of the table, and not only canaries

    def both_work() -> bool:
        counts = [server.texts_answered() for server in servers]
        return all(now - then > enough for now, then in zip(counts, before, strict=True))

    with TriageDesk.open(site) as desk, ThreadPoolExecutor(1) as beside:
        run = beside.submit(classified, desk, folder)
        wait_until(both_work)
        servers[1].kill()
        assert not run.done(), "the run was over before the server was killed"
        return run.result(600)


def classified(desk: TriageDesk, folder: Path) -> pd.DataFrame:
    """What a run over the notes wrote."""
    pd.DataFrame({"note": NOTES}).to_csv(folder / "in.csv", index=False)
    classify_table(folder / "in.csv", folder / "out.csv", desk, progress=False, patience=300)
    return pd.read_csv(folder / "out.csv")


def assert_each_note_is_classified(answers: pd.DataFrame) -> None:
    assert answers["note"].tolist() == NOTES
    assert (answers["status"] == "ok").all()
    assert answers["department"].notna().all()


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it did not happen within two minutes"
        time.sleep(0.05)
