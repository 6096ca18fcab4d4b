"""Tables on a Ray cluster of two nodes: the same rows as a local run, whichever engine goes on, whoever dies."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import ray

from core.bulk.classify import classify_table
from core.bulk.ray_cluster import Limiter
from core.bulk.run import RunStopped
from core.errors import EndpointError
from core.settings import Settings
from core.triage import TriageDesk
from tests.fault_server import Behaviour, FaultServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
ROWS, SHARD = 3000, 250


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.csv"
    pd.DataFrame({"id": range(ROWS), "text": [f"note {i // 2} 头疼" for i in range(ROWS)]}).to_csv(path, index=False)
    return path


@pytest.fixture
def undisturbed(notes: Path, desk: TriageDesk, tmp_path: Path) -> bytes:
    classify_table(notes, tmp_path / "local.csv", desk, shard_rows=SHARD)
    return (tmp_path / "local.csv").read_bytes()


def stopped_after(shards: int, notes: Path, target: Path, desk: TriageDesk, cluster: Settings | None) -> None:
    """A run that is stopped once so many shards are done."""
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows

    def stop() -> None:
        while done < shards * SHARD:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell ignores it for what is in the background
    threading.Thread(target=stop, daemon=True).start()
    try:
        with pytest.raises(RunStopped):
            classify_table(notes, target, desk, shard_rows=SHARD, on_done=count, cluster=cluster)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_cluster_gives_the_rows_of_a_local_run_within_the_limit_of_all_workers(
    cluster: str, server: FaultServer, notes: Path, undisturbed: bytes, desk: TriageDesk, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    server.busiest = 0
    report = classify_table(notes, tmp_path / "out.csv", desk, shard_rows=SHARD, cluster=settings)
    assert (report.rows, report.errors) == (ROWS, 0)
    assert (tmp_path / "out.csv").read_bytes() == undisturbed
    assert 1 < server.busiest <= 3


@pytest.mark.parametrize("first_on_the_cluster", [True, False])
def test_either_engine_goes_on_with_what_the_other_has_left(
    cluster: str, notes: Path, undisturbed: bytes, desk: TriageDesk, settings: Settings, tmp_path: Path,
    first_on_the_cluster: bool,
) -> None:  # fmt: skip
    target = tmp_path / "out.csv"
    engines = (settings, None) if first_on_the_cluster else (None, settings)
    stopped_after(4, notes, target, desk, engines[0])
    report = classify_table(notes, target, desk, shard_rows=SHARD, cluster=engines[1])
    assert report.reused_rows >= SHARD
    assert target.read_bytes() == undisturbed


def test_a_worker_that_is_killed_costs_no_row(
    cluster: str, notes: Path, undisturbed: bytes, desk: TriageDesk, settings: Settings, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one(_: int) -> None:
        if not killed:
            named = [(" ".join(each.info["cmdline"] or []), each) for each in psutil.process_iter(["cmdline"])]
            worker = next(each for name, each in named if "ray::_Worker" in name)
            killed.append(worker.pid)
            worker.kill()

    report = classify_table(notes, tmp_path / "out.csv", desk, shard_rows=SHARD, on_done=kill_one, cluster=settings)
    assert killed
    assert (report.rows, report.errors) == (ROWS, 0)
    assert (tmp_path / "out.csv").read_bytes() == undisturbed


def test_places_of_a_worker_that_died_come_back_and_no_more_than_there_are_are_lent() -> None:
    async def lend() -> None:
        limiter = Limiter(2)
        first, second = await limiter.acquire(0.2), await limiter.acquire(30)
        assert None not in (first, second)
        assert await limiter.acquire(0.05) is None
        third = await limiter.acquire(5)  # the first was lent for 0.2 s and one more
        assert third is not None
        assert await limiter.acquire(0.05) is None
        assert second is not None
        waiting = asyncio.create_task(limiter.acquire(5))
        await asyncio.sleep(0.05)
        await limiter.release(second)
        assert await asyncio.wait_for(waiting, 1) is not None

    asyncio.run(lend())


def test_an_endpoint_that_is_away_stops_the_run_with_a_sentence(
    cluster: str, server: FaultServer, notes: Path, desk: TriageDesk, settings: Settings, tmp_path: Path
) -> None:
    server.behaviour = Behaviour(status=500)
    try:
        with pytest.raises(RunStopped, match=r"of 3,000 rows are done and kept"):
            classify_table(notes, tmp_path / "out.csv", desk, shard_rows=SHARD, cluster=settings, patience=0.5)
    finally:
        server.behaviour = Behaviour()
    assert classify_table(notes, tmp_path / "out.csv", desk, shard_rows=SHARD, cluster=settings).errors == 0


def test_a_cluster_that_is_not_there_is_said(
    notes: Path, desk: TriageDesk, settings: Settings, tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray.shutdown()
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port}")
    with pytest.raises((RunStopped, EndpointError), match="The Ray cluster can't be reached"):
        classify_table(notes, tmp_path / "out.csv", desk, cluster=settings)
