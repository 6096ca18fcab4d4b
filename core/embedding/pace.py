"""How tables give way to notes: one list at a time, as many texts as take little longer than one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LITTLE = 1.5  # times what one text takes: so long may a list take
PROBES = 4  # lists of one text that are remembered, since endpoints change
PROBE_EACH = 16  # lists; of so many one has a single text


class Pace:
    """How much of a table is sent while notes come in. Safe to use from several threads.

    A note waits for what the endpoint is working on, even where it goes before all that waits. On a processor two
    texts take about twice as long as one; on a GPU many should take little longer. So the lists grow while they take
    little longer than a single text does, and are halved when they take more.

    Args:
        endpoints: which get one list each.
        most: texts a list, never more.
        clock: seconds.

    Attributes:
        lists: under way at once.
    """

    def __init__(self, endpoints: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.lists, self._most, self._clock = endpoints, most, clock
        self._turns = threading.Semaphore(endpoints)
        self._lock = threading.Lock()
        self._alone: deque[float] = deque(maxlen=PROBES)  # seconds of lists of one text
        self._texts = self._begun = self._full = 0

    def size(self) -> int:
        """How many texts the next list holds."""
        with self._lock:
            self._begun += 1
            return 1 if self._begun % PROBE_EACH == 0 else max(1, self._texts)

    @contextmanager
    def turn(self, texts: int, timeout: float) -> Iterator[bool]:
        """Wait for the turn of a list of so many texts, and learn from the time that it takes.

        Gives:
            whether its turn came within `timeout` seconds.
        """
        if not self._turns.acquire(timeout=max(timeout, 0.0)):
            yield False
            return
        try:
            measured, started = not self._full, self._clock()
            yield True
            if measured:
                self._answered(texts, self._clock() - started)
        finally:
            self._turns.release()

    @contextmanager
    def at_full_length(self) -> Iterator[None]:
        """Nobody pastes notes: a list of any length, beside others; what was learnt of short ones is forgotten."""
        with self._lock:
            self._full += 1
            self._alone.clear()
            self._texts = 0
        try:
            yield
        finally:
            with self._lock:
                self._full -= 1

    def _answered(self, texts: int, seconds: float) -> None:
        with self._lock:
            if texts == 1:
                self._alone.append(seconds)
            if not self._alone or seconds <= LITTLE * min(self._alone):
                self._texts = max(self._texts, min(texts + max(1, texts // 4), self._most))
            elif texts > 1:
                self._texts = min(self._texts, texts) // 2
