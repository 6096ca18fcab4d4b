import threading
from typing import Any

import pytest

from core.errors import BundleCorrupt, EndpointUnavailable, RecordsError
from core.readiness import OK, ReadinessCheck
from tests.app.answering import MemoryRecords
from tests.app.api.conftest import HandDesk


def check(desk: Any, records: Any = None, **more: Any) -> ReadinessCheck:
    return ReadinessCheck(lambda: desk, lambda: records or MemoryRecords(), **more)


def raising(error: Exception) -> Any:
    def opened() -> Any:
        raise error

    return opened


def test_all_is_well() -> None:
    found = check(HandDesk()).now()
    assert found.is_ready
    assert dict(found.parts) == {"bundle": OK, "endpoint": OK, "database": OK}


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        ("endpoint", check(HandDesk(reachable=EndpointUnavailable("http://10.0.0.1 is away")))),
        ("endpoint", ReadinessCheck(raising(EndpointUnavailable("away")), MemoryRecords)),
        ("bundle", ReadinessCheck(raising(BundleCorrupt("/srv/bundle")), MemoryRecords)),
        ("bundle", ReadinessCheck(raising(ValueError("/srv/bundle")), MemoryRecords)),
        ("database", check(HandDesk(), MemoryRecords(fails=True))),
        ("database", ReadinessCheck(HandDesk, raising(RecordsError("no place")))),
    ],
)
def test_what_is_missing_is_named_without_places(part: str, asked: ReadinessCheck) -> None:
    found = asked.now()
    assert not found.is_ready
    assert found.parts[part] != OK
    assert "/" not in str(dict(found.parts))


def test_it_holds_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], []

    class Counting(HandDesk):
        def check_reachable(self, *, timeout: float) -> None:
            asked.append(timeout)

    found = check(Counting(), clock=lambda: now[0])
    for moment in (0.0, 0.5, 1.0, 1.1):
        now[0] = moment
        found.now()
    assert len(asked) == 2


def test_a_part_that_hangs_is_late_and_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.readiness.LATE", 0.05)
    go, asked = threading.Event(), []

    class Slow(HandDesk):
        def check_reachable(self, *, timeout: float) -> None:
            asked.append(timeout)
            go.wait(10)

    now = [0.0]
    found = check(Slow(), clock=lambda: now[0])
    assert found.now().parts["endpoint"] == "late"
    now[0] = 5.0
    assert found.now().parts["endpoint"] == "late"
    assert len(asked) == 1
    go.set()
    monkeypatch.setattr("core.readiness.LATE", 5.0)
    now[0] = 10.0
    assert found.now().is_ready
