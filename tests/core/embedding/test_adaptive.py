"""The bound on requests under way follows what the endpoint bears."""

import threading
import time

import pytest

from core.embedding.adaptive import AdaptiveLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rounds(limit: AdaptiveLimit, clock: Clock, count: int, seconds: float, texts: int = 64) -> None:
    """So many rounds of requests, as many at once as may be."""
    for _ in range(count):
        places = limit.now
        for _ in range(places):
            assert limit.acquire(0)
        clock.now += seconds
        for _ in range(places):
            limit.answered(texts, seconds)
            limit.release()


def test_it_starts_at_its_most_and_never_goes_beyond(clock: Clock) -> None:
    limit = AdaptiveLimit(8, clock)
    rounds(limit, clock, 50, 0.1)
    assert limit.now == 8
    for _ in range(8):
        assert limit.acquire(0)
    assert not limit.acquire(0)


def test_an_overloaded_endpoint_gets_half_and_then_one_more_a_round(clock: Clock) -> None:
    limit = AdaptiveLimit(16, clock)
    rounds(limit, clock, 3, 0.1)
    limit.overloaded()
    assert limit.now == 8
    limit.overloaded()  # of the same moment
    assert limit.now == 8
    before = limit.now
    rounds(limit, clock, 3, 0.1)
    assert before < limit.now <= before + 3
    rounds(limit, clock, 20, 0.1)
    assert limit.now == 16


def test_it_never_starves(clock: Clock) -> None:
    limit = AdaptiveLimit(16, clock)
    for _ in range(30):
        clock.now += 2
        limit.overloaded()
    assert limit.now == 2


def test_rising_latency_eases_it(clock: Clock) -> None:
    limit = AdaptiveLimit(16, clock)
    rounds(limit, clock, 5, 0.1)
    rounds(limit, clock, 3, 2.0)
    assert limit.now < 16


def test_a_single_note_s_latency_says_nothing(clock: Clock) -> None:
    limit = AdaptiveLimit(16, clock)
    rounds(limit, clock, 5, 0.1)
    rounds(limit, clock, 20, 2.0, texts=1)
    assert limit.now == 16


def test_a_place_given_back_goes_to_one_that_waits() -> None:
    limit = AdaptiveLimit(1)
    assert limit.acquire(0)
    threading.Timer(0.05, limit.release).start()
    started = time.monotonic()
    assert limit.acquire(5)
    assert time.monotonic() - started < 2
