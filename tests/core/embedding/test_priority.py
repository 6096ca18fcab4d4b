"""A pasted note goes before a table: by the endpoint's own order, or because tables give way."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.embedding.courtesy import LATELY, Courtesy
from core.embedding.embedded_server import Turns
from core.embedding.open import open_embedder
from core.settings import Settings
from tests.core.embedding.test_client import TEXTS, Open
from tests.fault_server import FaultServer


def test_a_note_carries_the_priority_and_a_table_does_not(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_priority=10)
    embedder.canaries(timeout=5)
    server.priorities.clear()
    embedder.embed(["a note"])
    assert server.priorities == [10]
    embedder.embed(TEXTS, timeout=30)
    assert set(server.priorities[1:]) == {None}


def test_nothing_unknown_is_sent_to_a_server_that_takes_no_priority(server: FaultServer, open_client: Open) -> None:
    open_client().embed(["a note"])
    assert set(server.priorities) == {None}


@pytest.mark.parametrize("priority", [None, 10])
def test_a_table_is_sent_one_list_after_another_while_notes_come_in(
    server: FaultServer, open_client: Open, priority: int | None
) -> None:
    # Two processes of one desk share its data folder only.
    bulk, desk = open_client(embedding_priority=priority), open_client(embedding_priority=priority)
    bulk.embed(TEXTS[:200], timeout=30)
    assert max(server.requests) == 200
    desk.embed(["a note"])
    server.requests.clear()
    server.busiest, server.delay = 0, 0.005
    bulk.embed(TEXTS, timeout=30)
    assert server.busiest == 1
    assert server.requests[0] == 1
    assert sum(server.requests) == len(TEXTS)


def test_calls_side_by_side_share_the_turns(server: FaultServer, open_client: Open) -> None:
    bulk = open_client()
    bulk.canaries(timeout=5)
    bulk.embed(["a note"])
    server.busiest, server.delay = 0, 0.005
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda at: bulk.embed(TEXTS[at : at + 40], timeout=30), (0, 40, 80)))
    assert server.busiest == 1
    assert not any(each.errors for each in found)


def test_courtesy_ends_and_a_clock_set_back_ends_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy, other = Courtesy(tmp_path / "data" / "note-at"), Courtesy(tmp_path / "data" / "note-at")
    assert not other.asked
    courtesy.note()
    assert other.asked
    now = time.time()
    for moved in (LATELY + 1, -LATELY - 1):
        monkeypatch.setattr(time, "time", lambda moved=moved: now + moved)
        assert not other.asked


def test_courtesy_works_within_a_process_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    courtesy = Courtesy(tmp_path / "file" / "note-at")
    courtesy.note()
    assert courtesy.asked


def test_who_is_in_a_hurry_goes_first() -> None:
    turns, order = Turns(), []

    def take(name: str, *, urgent: bool) -> None:
        with turns.take(urgent=urgent):
            order.append(name)

    with turns.take(urgent=False):
        threads = []
        for name, urgent in (("table", False), ("table", False), ("note", True), ("note", True)):
            threads.append(threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent}))
            threads[-1].start()
        time.sleep(0.2)
    for thread in threads:
        thread.join(5)
    assert order == ["note", "note", "table", "table"]


def test_the_embedded_endpoint_answers_a_note_in_the_middle_of_a_table(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, cache_url="none", embedding_timeout=30)
    with open_embedder(settings) as embedder:
        alone = embedder.embed(["chest pain since an hour"]).vectors
        endpoint = embedder._line._members[0].endpoint
        texts = [f"note {number} about a cough that does not go away" for number in range(200)]
        ended: dict[str, float] = {}

        def table() -> None:
            endpoint.embed(texts, timeout=120)
            ended["table"] = time.monotonic()

        thread = threading.Thread(target=table)
        thread.start()
        time.sleep(0.2)
        within = embedder.embed(["chest pain since an hour"]).vectors
        ended["note"] = time.monotonic()
        thread.join(120)
        assert ended["note"] < ended["table"]
        np.testing.assert_allclose(alone, within, atol=1e-5)
