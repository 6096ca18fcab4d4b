"""A calm end: what is under way is finished, what comes new is told to come again, and only then the server stops."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from core.errors import DeskStopping

LONGEST = 25.0  # seconds for what is under way; service managers kill after 30 or more
EVERY = 0.05
SENDING = 0.3  # seconds in which the last answers leave
SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger(__name__)


class Stopping:
    """Whether the server is about to stop, and what is still under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._is_stopping = False
        self._waiting: asyncio.Task[None] | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is taken."""
        return self._is_stopping

    @property
    def under_way(self) -> int:
        """How many notes and requests are not finished."""
        return self._under_way

    def begin(self) -> None:
        """Take nothing new from now on."""
        self._is_stopping = True

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Something new, which is finished before the server stops. Can be used by several threads.

        Raises:
            DeskStopping: the server is stopping.
        """
        if self._is_stopping:
            raise DeskStopping("The desk is being stopped. Nothing was assessed; send it again in a moment.")
        with self.finished():
            yield

    @contextmanager
    def finished(self) -> Iterator[None]:
        """Something that a person at a page waits for: it is taken as long as there is a page, and is finished."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Stand before the server's own way to stop, which follows when nothing is under way, or at a second signal.

        Must be entered in the server's event loop.
        """
        if threading.current_thread() is not threading.main_thread():
            yield  # a server under test: nobody sends it signals
            return
        loop, before = asyncio.get_running_loop(), {number: signal.getsignal(number) for number in SIGNALS}

        def go_on(number: int) -> None:
            then = before[signal.Signals(number)]
            if callable(then):
                then(number, None)

        def told(number: int, frame: FrameType | None) -> None:
            is_second = self._is_stopping
            self.begin()
            if is_second or not self._under_way:
                go_on(number)
            else:
                loop.call_soon_threadsafe(self._wait_in, loop, lambda: go_on(number))

        for number in SIGNALS:
            signal.signal(number, told)
        try:
            yield
        finally:
            for number, then in before.items():
                signal.signal(number, then)

    def _wait_in(self, loop: asyncio.AbstractEventLoop, go_on: Callable[[], None]) -> None:
        self._waiting = loop.create_task(self._wait(go_on))

    async def _wait(self, go_on: Callable[[], None]) -> None:
        end = time.monotonic() + LONGEST
        while self._under_way and time.monotonic() < end:
            await asyncio.sleep(EVERY)
        if self._under_way:
            log.warning("stopping: %d requests were not finished", self._under_way)
        await asyncio.sleep(SENDING)
        go_on()
