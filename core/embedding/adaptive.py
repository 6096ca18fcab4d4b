"""How many requests an endpoint is sent at once: additive increase, multiplicative decrease (Chiu and Jain, 1989)."""

import threading
import time
from collections.abc import Callable

HALF = 0.5  # on 429, 503 or a time-out
EASE = 0.8  # on rising latency
RISEN = 3.0  # times the best latency for a text
FEW = 8  # texts; shorter requests tell little about the load
FORGET = 1.002  # what was best counts a little less with each answer, since endpoints change
PAUSE = 1.0  # seconds between two decreases: the first has to show


class AdaptiveLimit:
    """A bound on requests under way that follows what the endpoint bears.

    It starts at its most, so that a short table is not slowed, gives way while the endpoint is overloaded, and comes
    back by one request for each full round that was answered. Written here, since the libraries that do this
    (Netflix's concurrency-limits and its like) are not for Python.

    Args:
        most: requests under way at once, never more.
        clock: seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._least, self._clock = most, min(2, most), clock
        self._free = threading.Condition()
        self._limit, self._under_way = float(most), 0
        self._best = self._recent = 0.0  # seconds a text
        self._cut_at = -PAUSE

    @property
    def now(self) -> int:
        """Requests that may be under way now."""
        return int(self._limit)

    def acquire(self, timeout: float) -> bool:
        """Take a place, waiting so many seconds at most; whether there was one."""
        with self._free:
            if not self._free.wait_for(lambda: self._under_way < self.now, max(timeout, 0.0)):
                return False
            self._under_way += 1
            return True

    def release(self) -> None:
        """Give the place back."""
        with self._free:
            self._under_way -= 1
            self._free.notify()

    def answered(self, texts: int, seconds: float) -> None:
        """A request of so many texts was answered after so many seconds."""
        if texts < FEW:
            return
        with self._free:
            each = seconds / texts
            self._best = min(each, self._best * FORGET) if self._best else each
            self._recent = 0.8 * self._recent + 0.2 * each if self._recent else each
            if self._recent > RISEN * self._best and self._limit > self._least:
                self._cut(EASE)
            elif self._under_way > self._limit / 2 and self._limit < self._most:
                self._limit = min(self._most, self._limit + 1 / self._limit)
                self._free.notify()

    def overloaded(self) -> None:
        """The endpoint said that it has too much to do, or gave no answer in time."""
        with self._free:
            self._cut(HALF)

    def _cut(self, to: float) -> None:
        now = self._clock()
        if now - self._cut_at >= PAUSE:
            self._limit = max(self._least, self._limit * to)
            self._cut_at = now
            self._recent = 0.0
