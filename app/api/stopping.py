"""A calm end: what is under way is finished, what comes new is told to come again, and only then the server stops."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.api.problems import Problem

LONGEST = 25.0  # seconds for what is under way; service managers kill after 30 or more
COME_AGAIN = "10"  # seconds until another server stands here, most likely
EVERY = 0.05
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
        """Something that is finished before the server stops. Can be used by several threads.

        Raises:
            Problem: the server is stopping.
        """
        with self._lock:
            if self._is_stopping:
                raise Problem(
                    503,
                    "stopping",
                    "The desk is being stopped. Nothing was assessed; send it again in a moment.",
                    {"Retry-After": COME_AGAIN, "Connection": "close"},
                )
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Put this before the server's own way to stop, which follows when nothing is under way; a second signal
        follows at once. Must be entered in the server's event loop."""  # noqa: D205, D209
        if threading.current_thread() is not threading.main_thread():
            yield  # a server under test: nobody sends it signals
            return
        loop, before = asyncio.get_running_loop(), {number: signal.getsignal(number) for number in SIGNALS}

        def go_on(number: int) -> None:
            then = before[signal.Signals(number)]
            if callable(then):
                then(number, None)

        async def wait(number: int) -> None:
            end = loop.time() + LONGEST
            while self._under_way and loop.time() < end:
                await asyncio.sleep(EVERY)
            if self._under_way:
                log.warning("stopping: %d requests were not finished", self._under_way)
            go_on(number)

        def begin(number: int) -> None:
            self._waiting = loop.create_task(wait(number))

        def told(number: int, frame: FrameType | None) -> None:
            if self._is_stopping or not self._under_way:
                self.begin()
                go_on(number)
            else:
                self.begin()
                loop.call_soon_threadsafe(begin, number)

        for number in SIGNALS:
            signal.signal(number, told)
        try:
            yield
        finally:
            for number, then in before.items():
                signal.signal(number, then)
