"""Transactions that several threads share: what comes while one is written is written together in the next."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Group commit: a commit waits for the disk once, for all that waited for it.

    Args:
        write: writes items in one transaction, all or none; their outcomes, in order.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._waiting: list[tuple[Sequence[T], Future[list[R]]]] = []
        self._lock, self._turn = Lock(), Lock()

    def outcomes(self, items: Sequence[T]) -> list[R]:
        """The outcomes of items, once they are written.

        Raises:
            Exception: what `write` raised; nothing of the transaction stands.
        """
        mine: Future[list[R]] = Future()
        with self._lock:
            self._waiting.append((items, mine))
        with self._turn:
            if not mine.done():  # else the thread before wrote these, too
                with self._lock:
                    taken, self._waiting = self._waiting, []
                self._finish(taken)
        return mine.result()

    def _finish(self, taken: Sequence[tuple[Sequence[T], "Future[list[R]]"]]) -> None:
        try:
            found = iter(self._write([item for items, _ in taken for item in items]))
            outcomes = [[next(found) for _ in items] for items, _ in taken]
        except BaseException as error:
            for _, future in taken:
                future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            future.set_result(outcome)
