import pytest

from core.embedding.contract import check_endpoint
from core.settings import Settings
from tests.fault_server import Behaviour, FaultServer


def failed(settings: Settings) -> set[str]:
    return {check.name for check in check_endpoint(settings).checks if not check.passed}


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(), Behaviour(shuffle=True), Behaviour(floats=True), Behaviour(refuse_blank=True, refuse_longer=50_000)],
)
def test_a_good_endpoint_passes(server: FaultServer, settings: Settings, behaviour: Behaviour) -> None:
    server.behaviour = behaviour
    assert failed(settings) == set()


@pytest.mark.parametrize(
    ("behaviour", "check"),
    [
        (Behaviour(status=401), "ready"),
        (Behaviour(html=True), "ready"),
        (Behaviour(refuse_longer=300), "longest text"),
        (Behaviour(refuse_lists_over=40), "longest list"),
        (Behaviour(value="nan"), "ready"),
    ],
)
def test_a_broken_promise_is_named(server: FaultServer, settings: Settings, behaviour: Behaviour, check: str) -> None:
    server.behaviour = behaviour
    assert check in failed(settings)


def test_an_endpoint_that_is_down_is_one_failed_line(server: FaultServer, settings: Settings) -> None:
    server.stop_listening()
    report = check_endpoint(settings)
    assert [(check.name, check.passed) for check in report.checks] == [("ready", False)]
    assert not report.passed


def test_vectors_that_depend_on_the_list_are_noticed(server: FaultServer, settings: Settings) -> None:
    server.script(Behaviour(), Behaviour())
    server.behaviour = Behaviour(dimension=384)
    original = server.table.vector
    server.table.vector = lambda text: original(text + str(len(server.requests)))  # type: ignore[method-assign]
    server.behaviour = Behaviour(floats=True)
    assert {"order", "batch equals single", "determinism"} <= failed(settings)


def test_each_check_is_told_as_it_ends(settings: Settings) -> None:
    told: list[str] = []
    check_endpoint(settings, on_check=lambda check: told.append(check.name))
    assert told[0] == "ready"
    assert told[-1] == "latency of 32"
