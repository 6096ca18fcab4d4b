"""The circuit breaker: an endpoint that keeps failing is left alone for a while, then tried with one request."""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Counts failures in a row; opens after `failures` of them, for `pause` seconds, doubled at each failed try.

    After the pause one request may pass; its outcome closes the breaker or opens it again.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        pause: float = 0.5,
        longest: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._first, self._longest, self._clock = failures, pause, longest, clock
        self._lock = threading.Lock()
        self._failed = 0
        self._pause = pause
        self._until = 0.0

    @property
    def closed(self) -> bool:
        """Whether requests pass as usual."""
        return self._failed < self._limit

    @property
    def pausing(self) -> bool:
        """Whether no request may be tried now."""
        return not self.closed and self._clock() < self._until

    def wait(self) -> float:
        """Seconds until a request may be tried; 0 lets this caller, and while open nobody else, try now."""
        with self._lock:
            if self._failed < self._limit:
                return 0.0
            left = self._until - self._clock()
            if left > 0:
                return left
            self._until = self._clock() + self._pause  # the others wait for the outcome of this try
            return 0.0

    def succeeded(self) -> None:
        """A request was answered."""
        with self._lock:
            self._failed, self._pause = 0, self._first

    def failed(self) -> None:
        """A request failed in a way that says the endpoint is down."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                if self._failed > self._limit:
                    self._pause = min(self._pause * 2, self._longest)
                self._until = self._clock() + self._pause
