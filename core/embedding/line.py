"""The line to the endpoints: the one owner of deadline, attempts, back-off, and of which endpoint is asked."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from tenacity import Retrying, stop_after_attempt, stop_any, stop_before_delay

from core.embedding.attempts import ATTEMPTS, Patience, may_be_one_text, pause_before_next, worth_another
from core.embedding.breaker import CircuitBreaker
from core.embedding.endpoint import Endpoint
from core.embedding.member import Agreed, Member, Row
from core.embedding.space import CANARIES, EmbeddingSpace, Fingerprint, Vectors
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointError,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
    SpaceMismatch,
)
from core.telemetry import endpoints as watched
from core.telemetry import observe

LONGEST_ATTEMPT = 60.0  # seconds after which a request of a long call is given up and made again
FEW = 8
NO_LIST = (404, 405)  # a server that is there and lists no models
MANY = 10_000  # the deadline ends a persistent call
T = TypeVar("T")
log = logging.getLogger(__name__)


class Line:
    """Gets vectors of one space from one or several endpoints, or says why not. Safe to use from several threads.

    Of several, the one with the fewest texts outstanding is asked. One that fails is left out, what it was asked goes
    to another at once, and it is tried again after a pause. One with vectors of another space is left out likewise;
    when there is no other, that is an error.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        space: EmbeddingSpace,
        *,
        fingerprint: Fingerprint | None = None,
        concurrency: int = 8,
        longest_attempt: float = LONGEST_ATTEMPT,
        recheck_after: float = 20.0,
    ) -> None:
        """Connects to nothing yet.

        Args:
            endpoints: where vectors come from.
            space: what they must be; dimension 0 is learnt from the first answer.
            fingerprint: what the canaries' vectors must be; None: what they are at first must stay.
            concurrency: requests under way at once at each endpoint; waiting between attempts is not counted.
            longest_attempt: seconds that one request may take.
            recheck_after: seconds without an answer after which the fingerprint is compared again.
        """
        self._agreed = Agreed(space, fingerprint)
        alone = len(endpoints) == 1
        self._members = [
            Member(
                endpoint,
                self._agreed,
                concurrency=concurrency,
                longest_attempt=longest_attempt,
                recheck_after=recheck_after,
                breaker=CircuitBreaker() if alone else CircuitBreaker(failures=1),
            )
            for endpoint in endpoints
        ]
        watched.watch(self._members)
        self._choosing = threading.Lock()
        self._turn = 0

    @property
    def space(self) -> EmbeddingSpace:
        """The embedding space of every vector."""
        return self._agreed.space

    @property
    def name(self) -> str:
        """The endpoints' addresses, for messages."""
        return ", ".join(member.endpoint.name for member in self._members)

    @property
    def endpoints(self) -> int:
        """How many there are."""
        return len(self._members)

    def rows(self, texts: Sequence[str], patience: Patience) -> list[Row | EndpointError]:
        """For each text its vector, or why the endpoint refused this one.

        Raises:
            EndpointError: the endpoint as a whole gave no vectors.
            SpaceMismatch: its vectors are of another space.
        """
        return self._halved([self.space.prefix + text for text in texts], patience, confirmed=False)

    def canaries(self, patience: Patience) -> Vectors:
        """The canaries' vectors, fresh from every endpoint that answers, and compared with the fingerprint.

        Raises:
            EndpointError: no endpoint gave vectors.
            SpaceMismatch: the vectors of one are of another space.
        """
        found: Vectors | None = None
        failed: EndpointError | None = None
        for member in self._members:
            member.doubt()
            try:
                found = self._retried(partial(member.verify, patience), len(CANARIES), patience)
            except EndpointError as error:
                if member.mismatch:  # it is left alone for a moment on this account
                    raise member.mismatch from None
                failed = error
        if found is None:
            raise failed or EndpointUnavailable(f"{self.name} gave no vectors.")
        return found

    def check_reachable(self, *, timeout: float) -> None:
        """Ask the endpoints whether they are there, without a text; one that is suffices.

        Raises:
            EndpointError: none answers.
            SpaceMismatch: those that answer were seen to give vectors of another space.
        """
        failed: EndpointError | SpaceMismatch | None = None
        for member in self._members:
            try:
                member.endpoint.models(timeout=timeout)
            except EndpointRefused as error:
                if error.status not in NO_LIST:
                    failed = error
                    continue
            except EndpointError as error:
                failed = error
                continue
            if member.mismatch is None:
                return
            failed = member.mismatch
        raise failed or EndpointUnavailable(f"{self.name} does not answer.")

    def through(self, around: Callable[[Endpoint], Endpoint]) -> None:
        """Put something around every endpoint."""
        for member in self._members:
            member.endpoint = around(member.endpoint)

    def abandon(self) -> None:
        """Leave requests that a trickling answer holds to themselves; later ones get places and connections anew."""
        for member in self._members:
            member.abandon()

    def close(self) -> None:
        """End all waiting and close the endpoints."""
        self._agreed.closed.set()
        watched.forget(self._members)
        for member in self._members:
            member.endpoint.close()

    def _halved(self, texts: list[str], patience: Patience, *, confirmed: bool) -> list[Row | EndpointError]:
        """Rows of a list; halved while it is refused, until only the texts at fault are left without a vector."""
        try:
            return list(self._retried(lambda: self._once(texts, patience), len(texts), patience))
        except (EndpointRefused, EndpointBadAnswer, EndpointBusy) as error:
            if not may_be_one_text(error, len(texts)):
                raise
            if not confirmed and not isinstance(error, EndpointBusy):
                self._confirm(error, patience)
            if len(texts) == 1:
                return [error]
        middle = len(texts) // 2
        first = self._halved(texts[:middle], patience, confirmed=True)
        return first + self._halved(texts[middle:], patience, confirmed=True)

    def _confirm(self, error: EndpointError, patience: Patience) -> None:
        """Make sure that the endpoint embeds the canaries; if it can't, the fault is not one text's."""
        try:
            self.canaries(patience)
        except (EndpointRefused, EndpointBadAnswer):
            raise error from None

    def _retried(self, request: Callable[[], T], count: int, patience: Patience) -> T:
        retrying = Retrying(
            sleep=self._rest,
            stop=stop_any(
                stop_before_delay(max(patience.left, 0.0)),
                stop_after_attempt(MANY if patience.persistent else ATTEMPTS + len(self._members) - 1),
            ),
            wait=pause_before_next,
            retry=lambda state: self._agreed.waits(patience) and worth_another(state, count, patience),
            reraise=True,
        )
        return retrying(request)

    def _rest(self, seconds: float) -> None:
        observe.endpoint_retried()
        self._agreed.closed.wait(seconds)

    def _once(self, texts: list[str], patience: Patience) -> Vectors:
        """One attempt at the endpoint that has the least to do."""
        member = self._least_busy()
        others = [other for other in self._members if other is not member]
        if not others:
            return member.vectors(texts, patience)
        attempt = patience
        if len(texts) <= FEW:  # a note; one that hangs must leave it time to ask another
            attempt = Patience(patience.deadline - patience.left / 2, persistent=patience.persistent)
        try:
            return member.vectors(texts, attempt)
        except SpaceMismatch as error:
            member.breaker.failed()
            if not any(other.breaker.closed for other in others):
                raise
            log.warning("an endpoint is left out: %s", error)
            raise elsewhere(EndpointUnavailable(str(error))) from None
        except (EndpointUnavailable, EndpointTimeout, EndpointBusy) as error:
            if isinstance(error, EndpointBusy):
                member.breaker.failed()
            if any(other.breaker.closed for other in others):
                raise elsewhere(error) from None
            raise

    def _least_busy(self) -> Member:
        """The endpoint with the fewest texts outstanding; those that fail only where all do, or to try them again."""
        if len(self._members) == 1:
            return self._members[0]
        with self._choosing:
            self._turn += 1  # so that equals take turns
            ready = [member for member in self._members if not member.breaker.pausing] or self._members
            turned = [ready[(place + self._turn) % len(ready)] for place in range(len(ready))]
            return min(turned, key=lambda member: member.outstanding)


def elsewhere(error: EndpointError) -> EndpointError:
    """The error, with the word that another endpoint can be asked at once."""
    error.elsewhere = True
    return error
