"""Turns at the desk: notes of several keys share calls of the desk, and no key waits behind the crowd of another.

A note that comes alone goes at once. While others are under way, those that come within a moment go together, because
one call of the desk for several notes costs little more than one for a single note.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import DeskBusy, EndpointTimeout

TOGETHER = 32  # notes in one call
CALLS = 16  # at once; each holds a thread
AT_ONCE = 128  # notes under way
WAITING = 4096  # notes that wait, of all keys together
WAITING_EACH = 1024  # of one key
LINGER = 0.0015  # seconds
T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class _Place(Generic[T, R]):
    """Something that waits, and where its outcome goes."""

    item: T
    outcome: "asyncio.Future[R]"


class Turns(Generic[T, R]):
    """Calls `work` with lists of what is asked for, taken from the keys in turn. Belongs to one event loop."""

    def __init__(
        self,
        work: Callable[[list[T]], Sequence[R]],
        pool: Executor,
        *,
        alone: Callable[[T], bool] = lambda _: False,
        together: int = TOGETHER,
        calls: int = CALLS,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        waiting_each: int = WAITING_EACH,
        linger: float = LINGER,
    ) -> None:
        """Nothing waits.

        Args:
            work: gives the outcome of each item, in order.
            pool: where it runs.
            alone: whether an item must not share its call.
            together: items in one call.
            calls: calls at once.
            at_once: items under way.
            waiting: items that may wait.
            waiting_each: items of one key that may wait.
            linger: seconds in which others may join, while calls are under way.
        """
        self._work, self._pool, self._alone = work, pool, alone
        self._together, self._calls, self._at_once, self._linger = together, calls, at_once, linger
        self._most, self._most_each = waiting, waiting_each
        self._queues: OrderedDict[str, deque[_Place[T, R]]] = OrderedDict()
        self._running = self._under_way = 0
        self._is_planned = False

    @property
    def waiting(self) -> int:
        """How many items wait."""
        return sum(map(len, self._queues.values()))

    async def outcomes(self, key: str, items: Sequence[T], patience: float) -> list[R]:
        """The outcome of each item; what has not begun when this is cancelled never begins.

        Args:
            key: whose they are.
            items: what is asked for.
            patience: seconds until all of them must have begun.

        Raises:
            DeskBusy: too many wait already.
            EndpointTimeout: some did not get their turn in time.
            Exception: what `work` raised.
        """
        queue = self._queues.get(key, ())
        if self.waiting + len(items) > self._most or len(queue) + len(items) > self._most_each:
            raise DeskBusy("Too many notes are waiting. Nothing was assessed; send it again in a moment.")
        loop = asyncio.get_running_loop()
        places = [_Place[T, R](item, loop.create_future()) for item in items]
        self._queues.setdefault(key, deque()).extend(places)
        self._plan()
        late = loop.call_later(patience, self._give_up, key, places)
        try:
            return list(await asyncio.gather(*(place.outcome for place in places)))
        finally:
            late.cancel()
            self._leave(key, places)

    def _plan(self) -> None:
        """Begin what there is room for, now or in a moment."""
        if not self._running:
            self._begin()
        elif not self._is_planned:
            self._is_planned = True
            asyncio.get_running_loop().call_later(self._linger, self._begin)

    def _begin(self) -> None:
        self._is_planned = False
        while self._queues and self._running < self._calls and self._under_way < self._at_once:
            places = self._next()
            if places:
                self._running += 1
                self._under_way += len(places)
                done = asyncio.get_running_loop().run_in_executor(self._pool, self._call, places)
                done.add_done_callback(lambda future, places=places: self._finished(places, future))  # type: ignore[misc]

    def _next(self) -> list[_Place[T, R]]:
        """The items of the next call: one of each key, again and again, the keys that had their turn going behind."""
        chosen: list[_Place[T, R]] = []
        most = min(self._together, self._at_once - self._under_way)
        while self._queues and len(chosen) < most:
            key, queue = next(iter(self._queues.items()))
            is_alone = self._alone(queue[0].item)
            if is_alone and chosen:
                break
            place = queue.popleft()
            del self._queues[key]
            if queue:
                self._queues[key] = queue
            if not place.outcome.done():
                chosen.append(place)
                if is_alone:
                    break
        return chosen

    def _call(self, places: list[_Place[T, R]]) -> Sequence[R]:
        return self._work([place.item for place in places])

    def _finished(self, places: list[_Place[T, R]], done: "asyncio.Future[Sequence[R]]") -> None:
        self._running -= 1
        self._under_way -= len(places)
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        found = [None] * len(places) if error else done.result()
        for place, outcome in zip(places, found, strict=True):
            if place.outcome.done():
                continue
            if error:
                place.outcome.set_exception(error)
            else:
                place.outcome.set_result(outcome)  # type: ignore[arg-type]
        self._begin()

    def _give_up(self, key: str, places: Sequence[_Place[T, R]]) -> None:
        """Those that still wait have waited too long."""
        for place in self._leave(key, places):
            place.outcome.set_exception(EndpointTimeout("The desk is busy with other notes. Nothing was lost."))

    def _leave(self, key: str, places: Sequence[_Place[T, R]]) -> list[_Place[T, R]]:
        """Take what has not begun out of the queue; what was taken."""
        queue = self._queues.get(key)
        if not queue:
            return []
        mine = set(map(id, places))
        left = [place for place in queue if id(place) in mine]
        if left:
            kept = deque(place for place in queue if id(place) not in mine)
            if kept:
                self._queues[key] = kept
            else:
                del self._queues[key]
        return [place for place in left if not place.outcome.done()]
