"""Sign-ins as several servers share them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from core.errors import RecordsError
from core.records.database import DatabaseRecords
from core.records.sign_ins import KEPT, SignIns
from core.records.tables import audit, sign_ins
from core.records.verify import verify
from core.settings import Settings
from tests.core.records.conftest import NOON, records_with_clock

IDLE, DAY = timedelta(minutes=15), timedelta(days=1)
KEY = b"k" * 32


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(settings: Settings, clock: Clock) -> Iterator[DatabaseRecords]:
    opened = records_with_clock(settings, clock)
    yield opened
    opened.close()


@pytest.fixture
def server(kept: DatabaseRecords, clock: Clock) -> Callable[[], SignIns]:
    """Another server of the same installation at each call."""
    return lambda: SignIns(lambda: kept, KEY, IDLE, clock)


def acts(kept: DatabaseRecords) -> list[tuple[str, str, dict[str, object]]]:
    with kept.one_view() as connection:
        assert verify(connection, kept.chain).breach is None
        return [(row.kind, row.person, json.loads(row.facts)) for row in connection.execute(select(audit))]


def test_a_sign_in_is_known_to_every_server_and_stands_in_the_audit_log(
    server: Callable[[], SignIns], kept: DatabaseRecords
) -> None:
    id_ = server().begin("nurse1", {"nurse"}, NOON + DAY)
    found = server().find(id_)
    assert found is not None
    assert (found.person, found.ended) == ("nurse1", None)
    assert acts(kept) == [("sign_in", "nurse1", {"roles": ["nurse"]})]


def test_the_database_does_not_hold_what_the_cookie_does(
    server: Callable[[], SignIns], kept: DatabaseRecords, settings: Settings
) -> None:
    id_ = server().begin("nurse1", {"nurse"}, NOON + DAY)
    kept.close()
    for path in settings.data_dir.glob("records.sqlite*"):
        assert id_.encode() not in path.read_bytes()


def test_an_id_that_nobody_was_given_is_nobody_s(server: Callable[[], SignIns]) -> None:
    assert server().find("guessed") is None
    assert server().find("\ud800") is None


def test_idle_time_is_shared_by_servers_and_ends_once(
    server: Callable[[], SignIns], kept: DatabaseRecords, clock: Clock
) -> None:
    first, second = server(), server()
    id_ = first.begin("nurse1", {"nurse"}, NOON + DAY)
    clock.now = NOON + IDLE - timedelta(seconds=1)
    first.seen(id_)
    clock.now = NOON + IDLE + timedelta(minutes=5)
    found = second.find(id_)
    assert found is not None
    assert found.ended is None
    clock.now += IDLE
    assert [each and each.ended for each in (first.find(id_), second.find(id_), server().find(id_))] == ["idle"] * 3
    assert acts(kept)[1:] == [("session_ended", "nurse1", {"why": "idle"})]


def test_use_after_the_end_brings_nothing_back(server: Callable[[], SignIns], clock: Clock) -> None:
    desk = server()
    id_ = desk.begin("nurse1", {"nurse"}, NOON + DAY)
    clock.now += IDLE
    desk.seen(id_)
    found = server().find(id_)
    assert found is not None
    assert found.ended == "idle"


def test_use_is_not_written_each_time(server: Callable[[], SignIns], kept: DatabaseRecords, clock: Clock) -> None:
    desk = server()
    id_ = desk.begin("nurse1", {"nurse"}, NOON + DAY)
    for _ in range(5):
        clock.now += timedelta(minutes=1)
        desk.seen(id_)
    with kept.one_view() as connection:
        [written] = connection.execute(select(sign_ins.c.last_seen)).scalars()
    assert written == NOON + timedelta(minutes=1)
    found = desk.find(id_)
    assert found is not None
    assert found.last_seen == clock.now


def test_a_token_that_expires_ends_it(server: Callable[[], SignIns], kept: DatabaseRecords, clock: Clock) -> None:
    desk = server()
    id_ = desk.begin("nurse1", {"nurse"}, NOON + timedelta(minutes=5))
    clock.now += timedelta(minutes=5)
    found = desk.find(id_)
    assert found is not None
    assert found.ended == "expired"
    assert acts(kept)[-1] == ("session_ended", "nurse1", {"why": "expired"})


def test_a_clock_that_is_put_back_ends_it(server: Callable[[], SignIns], clock: Clock) -> None:
    id_ = server().begin("nurse1", {"nurse"}, NOON + DAY)
    clock.now -= timedelta(hours=2)
    found = server().find(id_)
    assert found is not None
    assert found.ended == "clock"


def test_signing_out_ends_one_and_everywhere_ends_all_of_one_person(
    server: Callable[[], SignIns], kept: DatabaseRecords
) -> None:
    here, there = server(), server()
    ward, office, other = (
        here.begin("nurse1", {"nurse"}, NOON + DAY),
        there.begin("nurse1", {"nurse"}, NOON + DAY),
        here.begin("lead1", {"lead"}, NOON + DAY),
    )
    here.end(ward, "signed_out")
    assert [each and each.ended for each in map(there.find, (ward, office, other))] == ["signed_out", None, None]
    assert there.end_all("nurse1") == 1
    assert [each and each.ended for each in map(here.find, (ward, office, other))] == ["signed_out", "everywhere", None]
    assert acts(kept)[3:] == [("sign_out", "nurse1", {"everywhere": 0}), ("sign_out", "nurse1", {"everywhere": 1})]


def test_another_sign_in_with_the_same_browser_ends_the_one_before(
    server: Callable[[], SignIns], kept: DatabaseRecords
) -> None:
    before = server().begin("nurse1", {"nurse"}, NOON + DAY)
    server().begin("lead1", {"lead"}, NOON + DAY, instead_of=before)
    found = server().find(before)
    assert found is not None
    assert found.ended == "replaced"
    assert [act[:2] for act in acts(kept)] == [
        ("sign_in", "nurse1"),
        ("session_ended", "nurse1"),
        ("sign_in", "lead1"),
    ]


def test_ends_that_no_browser_saw_are_written_down_and_old_ones_forgotten(
    server: Callable[[], SignIns], kept: DatabaseRecords, clock: Clock
) -> None:
    server().begin("nurse1", {"nurse"}, NOON + DAY)
    clock.now += DAY
    server().begin("lead1", {"lead"}, clock.now + DAY)
    assert acts(kept)[1] == ("session_ended", "nurse1", {"why": "idle"})
    clock.now += KEPT + DAY
    server().begin("lead2", {"lead"}, clock.now + DAY)
    with kept.one_view() as connection:
        assert set(connection.execute(select(sign_ins.c.person)).scalars()) == {"lead1", "lead2"}


def test_without_the_database_this_server_goes_on_and_still_counts_idle_time_but_nobody_new_signs_in(
    server: Callable[[], SignIns], kept: DatabaseRecords, clock: Clock
) -> None:
    desk = server()
    id_ = desk.begin("nurse1", {"nurse"}, NOON + DAY)
    with kept.writing() as pen:
        pen.connection.execute(text("ALTER TABLE sign_ins RENAME TO gone"))
    desk.seen(id_)
    found = desk.find(id_)
    assert found is not None
    assert found.ended is None
    assert server().find(id_) is None
    with pytest.raises(RecordsError):
        desk.begin("lead1", {"lead"}, NOON + DAY)
    clock.now += IDLE
    found = desk.find(id_)
    assert found is not None
    assert found.ended == "idle"
