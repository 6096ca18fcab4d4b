"""How long to keep asking an endpoint: the caller's patience, and which failures deserve another attempt."""

import random
import threading
import time
from dataclasses import dataclass

from tenacity import RetryCallState

from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointError,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
)

HALVED = (400, 413, 422)  # refusals that one text of the list may have caused
ATTEMPTS = 4  # of a call that has no deadline of its own: half a second and a bit


@dataclass(slots=True)
class Patience:
    """How long a call may go on.

    Attributes:
        deadline: on the monotonic clock, all attempts together.
        persistent: keep trying until then, also while the breaker is open; else a few attempts.
    """

    deadline: float
    persistent: bool = False

    @property
    def urgent(self) -> bool:
        """Whether a person waits: the call has no deadline of its own, so it is a note and no table."""
        return not self.persistent

    @property
    def left(self) -> float:
        """Seconds left; never more than a lock or a socket can be told to wait."""
        return min(self.deadline - time.monotonic(), threading.TIMEOUT_MAX)


class BreakerOpen(EndpointUnavailable):
    """The endpoint has failed so often that it is left alone for a moment.

    Attributes:
        retry_after: seconds until the next try.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def may_be_one_text(error: EndpointError, count: int) -> bool:
    """Whether the list may have failed for the sake of one text, or of its own length."""
    if isinstance(error, EndpointRefused):
        return error.status in HALVED
    if isinstance(error, EndpointBusy):  # SGLang answers 503 to a list longer than its queue
        return count > 1 and error.retry_after is None
    return True


def worth_another(state: RetryCallState, count: int, patience: Patience) -> bool:
    """Whether the attempt that has just ended should be made again, time permitting."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, EndpointError) and error.elsewhere:
        return True
    if isinstance(error, BreakerOpen):
        return patience.persistent
    if isinstance(error, EndpointBadAnswer):
        return state.attempt_number < 2
    if isinstance(error, EndpointBusy) and may_be_one_text(error, count):
        return state.attempt_number < 2  # then try it in halves
    return isinstance(error, EndpointUnavailable | EndpointTimeout | EndpointBusy)


def pause_before_next(state: RetryCallState) -> float:
    """Seconds until the next attempt: what the server asked for, else doubled each time up to 5, with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, EndpointError) and error.elsewhere:
        return 0.0
    jitter = 0.5 + random.random() / 2  # noqa: S311 -- spreads retries, guards nothing
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        return float(asked) + 0.05 * jitter
    return float(min(0.1 * 2 ** (state.attempt_number - 1), 5.0) * jitter)
