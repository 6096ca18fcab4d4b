import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.access.turns import Turns
from core.errors import DeskBusy, EndpointTimeout


class Desk:
    """Doubles numbers when it may; remembers each call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_go = threading.Event()

    def __call__(self, numbers: list[int]) -> list[int]:
        self.calls.append(numbers)
        assert self.may_go.wait(10)
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


@pytest.fixture
def desk() -> Iterator[Desk]:
    found = Desk()
    yield found
    found.may_go.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as opened:
        yield opened


def test_outcomes_keep_their_order(desk: Desk, pool: ThreadPoolExecutor) -> None:
    desk.may_go.set()

    async def scene() -> None:
        turns = Turns(desk, pool, together=3)
        assert await turns.outcomes("a", range(10), 5) == [2 * number for number in range(10)]
        assert turns.waiting == 0

    asyncio.run(scene())
    assert all(len(call) <= 3 for call in desk.calls)


def test_one_key_does_not_wait_behind_the_crowd_of_another(desk: Desk, pool: ThreadPoolExecutor) -> None:
    async def scene() -> None:
        turns = Turns(desk, pool, together=4, calls=1)
        crowd = asyncio.ensure_future(turns.outcomes("crowd", range(100, 120), 5))
        await asyncio.sleep(0)
        single = asyncio.ensure_future(turns.outcomes("single", [7], 5))
        await asyncio.sleep(0.01)
        desk.may_go.set()
        assert await single == [14]
        assert await crowd == [2 * number for number in range(100, 120)]

    asyncio.run(scene())
    assert 7 in desk.calls[1], "the second call, though sixteen came before it"


def test_what_waits_is_bounded(desk: Desk, pool: ThreadPoolExecutor) -> None:
    async def scene() -> None:
        turns = Turns(desk, pool, together=1, calls=1, waiting=6, waiting_each=4)
        first = asyncio.ensure_future(turns.outcomes("a", [1], 5))
        await asyncio.sleep(0)
        more = asyncio.ensure_future(turns.outcomes("a", [2, 3, 4], 5))
        await asyncio.sleep(0)
        with pytest.raises(DeskBusy):
            await turns.outcomes("a", [5, 6], 5)
        with pytest.raises(DeskBusy):
            await turns.outcomes("b", [5, 6, 7, 8], 5)
        desk.may_go.set()
        assert await asyncio.gather(first, more) == [[2], [4, 6, 8]]

    asyncio.run(scene())


def test_who_leaves_takes_what_has_not_begun_along(desk: Desk, pool: ThreadPoolExecutor) -> None:
    async def scene() -> None:
        turns = Turns(desk, pool, together=1, calls=1)
        leaving = asyncio.ensure_future(turns.outcomes("a", [1, 2, 3], 5))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert turns.waiting == 0
        desk.may_go.set()
        assert await turns.outcomes("b", [4], 5) == [8]

    asyncio.run(scene())
    assert desk.calls == [[1], [4]]


def test_waiting_ends(desk: Desk, pool: ThreadPoolExecutor) -> None:
    async def scene() -> None:
        turns = Turns(desk, pool, together=1, calls=1)
        first = asyncio.ensure_future(turns.outcomes("a", [1], 5))
        await asyncio.sleep(0)
        with pytest.raises(EndpointTimeout):
            await turns.outcomes("b", [2], 0.05)
        assert turns.waiting == 0
        desk.may_go.set()
        assert await first == [2]

    asyncio.run(scene())


def test_what_goes_wrong_reaches_those_whose_call_it_was(desk: Desk, pool: ThreadPoolExecutor) -> None:
    desk.may_go.set()

    async def scene() -> None:
        turns = Turns(desk, pool, together=1)
        with pytest.raises(ValueError, match="thirteen"):
            await turns.outcomes("a", [13], 5)
        assert await turns.outcomes("a", [1], 5) == [2]

    asyncio.run(scene())


def test_some_go_alone(desk: Desk, pool: ThreadPoolExecutor) -> None:
    desk.may_go.set()

    async def scene() -> None:
        turns = Turns(desk, pool, alone=lambda number: number == 5)
        assert await turns.outcomes("a", [1, 2, 5, 3], 5) == [2, 4, 10, 6]

    asyncio.run(scene())
    assert sorted(desk.calls) == [[1, 2], [3], [5]]
