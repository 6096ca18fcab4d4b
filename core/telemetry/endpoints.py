"""The embedding endpoints that this process uses now, for whoever asks how they are."""

import threading
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakSet

CLOSED, TRYING, OPEN = 0, 1, 2  # states of a circuit breaker


class Breaker(Protocol):
    """What is read of a circuit breaker."""

    @property
    def closed(self) -> bool:
        """Whether requests pass as usual."""

    @property
    def pausing(self) -> bool:
        """Whether no request may be tried now."""


class Named(Protocol):
    """What is read of an endpoint."""

    @property
    def name(self) -> str:
        """Its address without credentials."""


class Watched(Protocol):
    """What is read of one endpoint of a line (`core.embedding.member.Member`)."""

    @property
    def endpoint(self) -> Named:
        """The endpoint."""

    @property
    def breaker(self) -> Breaker:
        """Its circuit breaker."""

    @property
    def outstanding(self) -> int:
        """Texts that it was given and has not answered."""

    @property
    def requests_allowed(self) -> int:
        """Requests that may be under way at once now."""


_watched: WeakSet[Watched] = WeakSet()
_lock = threading.Lock()


def watch(members: Iterable[Watched]) -> None:
    """Tell of these endpoints from now on."""
    with _lock:
        for member in members:
            _watched.add(member)


def forget(members: Iterable[Watched]) -> None:
    """Tell of these no more: they were closed."""
    with _lock:
        for member in members:
            _watched.discard(member)


def watched() -> list[Watched]:
    """Those that are told of."""
    with _lock:
        return list(_watched)


def state_of(breaker: Breaker) -> int:
    """0 where requests pass, 1 where one is tried after a pause, 2 while none is tried."""
    if breaker.closed:
        return CLOSED
    return OPEN if breaker.pausing else TRYING
