"""The line to an endpoint: the one owner of deadline, attempts, back-off, circuit breaker and trust."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tenacity import Retrying, stop_after_attempt, stop_any, stop_before_delay

from core.embedding.attempts import ATTEMPTS, BreakerOpen, Patience, may_be_one_text, pause_before_next, worth_another
from core.embedding.breaker import CircuitBreaker
from core.embedding.endpoint import KEPT, Answer, Endpoint, fitted
from core.embedding.space import CANARIES, SAME_SPACE, EmbeddingSpace, Fingerprint, Vectors
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointError,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
    SpaceMismatch,
)

LONGEST_ATTEMPT = 60.0  # seconds after which a request of a long call is given up and made again
MANY = 10_000  # the deadline ends a persistent call
Row = NDArray[np.float32]
T = TypeVar("T")


class Line:
    """Gets vectors of one space from one endpoint, or says why not. Safe to use from several threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        space: EmbeddingSpace,
        *,
        fingerprint: Fingerprint | None = None,
        concurrency: int = 8,
        longest_attempt: float = LONGEST_ATTEMPT,
        recheck_after: float = 20.0,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        """Connects to nothing yet.

        Args:
            endpoint: where vectors come from.
            space: what they must be; dimension 0 is learnt from the first answer.
            fingerprint: what the canaries' vectors must be; None: what they are at first must stay.
            concurrency: requests under way at once; waiting between attempts is not counted.
            longest_attempt: seconds that one request may take.
            recheck_after: seconds without an answer after which the fingerprint is compared again, since a server can
                be replaced while nobody asks it.
            breaker: the circuit breaker.
        """
        self.space = space
        self._endpoint, self._fingerprint = endpoint, fingerprint
        self._canaries: Vectors = np.empty((0, 0), np.float32)
        self._longest, self._recheck_after = longest_attempt, recheck_after
        self._breaker = breaker or CircuitBreaker()
        self._concurrency = concurrency
        self._slots = threading.Semaphore(concurrency)
        self._closed = threading.Event()
        self._check = threading.Lock()
        self._epoch, self._trusted = 1, 0  # vectors are trusted while these are equal; an outage begins a new epoch
        self._signed: set[str] = set()
        self._last_answer = time.monotonic()

    @property
    def endpoint(self) -> Endpoint:
        """Where vectors come from."""
        return self._endpoint

    def rows(self, texts: Sequence[str], patience: Patience) -> list[Row | EndpointError]:
        """For each text its vector, or why the endpoint refused this one.

        Raises:
            EndpointError: the endpoint as a whole gave no vectors.
            SpaceMismatch: its vectors are of another space.
        """
        return self._halved([self.space.prefix + text for text in texts], patience, confirmed=False)

    def canaries(self, patience: Patience) -> Vectors:
        """The canaries' vectors, fresh from the endpoint and compared with the fingerprint.

        Raises:
            EndpointError: the endpoint gave no vectors.
            SpaceMismatch: its vectors are of another space.
        """
        self._doubt()
        self._retried(lambda: self._verify(patience), len(CANARIES), patience)
        return self._canaries

    def abandon(self) -> None:
        """Leave requests that a trickling answer holds to themselves; later ones get slots and connections anew."""
        self._slots = threading.Semaphore(self._concurrency)
        self._endpoint.abandon()

    def close(self) -> None:
        """End all waiting and close the endpoint."""
        self._closed.set()
        self._endpoint.close()

    def _halved(self, texts: Sequence[str], patience: Patience, *, confirmed: bool) -> list[Row | EndpointError]:
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
                stop_after_attempt(MANY if patience.persistent else ATTEMPTS),
            ),
            wait=pause_before_next,
            retry=lambda state: self._goes_on(patience) and worth_another(state, count, patience),
            reraise=True,
        )
        return retrying(request)

    def _rest(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def _goes_on(self, patience: Patience) -> bool:
        """Whether anybody still waits: neither closed, nor out of time, nor given up by the caller."""
        return patience.left > 0 and not self._closed.is_set()

    def _once(self, texts: Sequence[str], patience: Patience) -> Vectors:
        """One attempt, with what trust in the endpoint asks for before and after it."""
        if time.monotonic() - self._last_answer > self._recheck_after:
            self._doubt()
        if self._trusted != self._epoch:
            self._verify(patience)
        epoch = self._epoch
        vectors, signed = self._call(texts, patience)
        if signed not in self._signed:
            self._doubt()
        if epoch != self._epoch:  # something broke meanwhile: who gave these vectors?
            self._verify(patience)
            if signed not in self._signed:
                raise EndpointUnavailable(f"{self._endpoint.name} answers in the name of several models. {KEPT}")
        return vectors

    def _call(self, texts: Sequence[str], patience: Patience) -> tuple[Vectors, str]:
        """One request: the vectors in the space's dimension, and the model name that the server signed with."""
        answer = self._answer(texts, patience)
        if not self.space.dimension:
            return fitted(answer.vectors, answer.vectors.shape[1], matryoshka=False), answer.model
        try:
            return fitted(answer.vectors, self.space.dimension, matryoshka=self.space.matryoshka), answer.model
        except EndpointBadAnswer:
            self._doubt()  # the canaries tell whether this is another model
            raise

    def _answer(self, texts: Sequence[str], patience: Patience) -> Answer:
        if not self._goes_on(patience):
            raise EndpointTimeout(f"{self._endpoint.name} gave no answer in time. {KEPT}")
        slots = self._slots
        if not slots.acquire(timeout=patience.left):
            raise EndpointTimeout(f"{self._endpoint.name} is busy with other requests. {KEPT}")
        try:
            pause = self._breaker.wait()
            if pause:
                raise BreakerOpen(f"{self._endpoint.name} keeps failing and is left alone for a moment. {KEPT}", pause)
            answer = self._asked(texts, patience)
        finally:
            slots.release()
        self._last_answer = time.monotonic()
        return answer

    def _asked(self, texts: Sequence[str], patience: Patience) -> Answer:
        """The endpoint's answer; its outcome told to the breaker, and doubt raised by an outage."""
        try:
            answer = self._endpoint.embed(texts, timeout=min(patience.left, self._longest))
        except (EndpointUnavailable, EndpointTimeout):
            self._doubt()
            self._breaker.failed()
            raise
        except EndpointBusy:
            self._doubt()
            raise
        except EndpointError:
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return answer

    def _doubt(self) -> None:
        """Begin a new epoch: vectors are trusted again after the fingerprint has been compared."""
        self._epoch += 1

    def _verify(self, patience: Patience) -> None:
        """Compare the canaries' vectors; one thread does it, the others wait for the outcome."""
        if not self._check.acquire(timeout=max(patience.left, 0.0)):
            raise EndpointTimeout(f"{self._endpoint.name} gave no answer in time. {KEPT}")
        try:
            if self._trusted != (epoch := self._epoch):
                self._compare(patience)
                self._trusted = epoch
        finally:
            self._check.release()

    def _compare(self, patience: Patience) -> None:
        texts = [self.space.prefix + text for text in CANARIES]
        try:
            answers = [self._answer(texts, patience)]
        except EndpointBusy:  # perhaps only its queue is shorter than the list
            answers = [self._answer([text], patience) for text in texts]
        signed = {answer.model for answer in answers}
        found = np.concatenate([answer.vectors for answer in answers])
        self._canaries = self._same(found, " or ".join(sorted(signed)))
        self._signed |= signed

    def _same(self, found: Vectors, signed: str) -> Vectors:
        """The canaries' vectors, fitted to the space; refused if they are not those of the fingerprint."""
        space, has = self.space, found.shape[1]
        if not space.dimension:
            space = self.space = replace(space, dimension=has)
        fits = has == space.dimension or (space.matryoshka and has > space.dimension)
        vectors = fitted(found, space.dimension, matryoshka=space.matryoshka) if fits else found
        if self._fingerprint is None and fits:
            self._fingerprint = Fingerprint(vectors)
        cosine = self._fingerprint.compare(vectors) if self._fingerprint else -1.0
        if cosine >= SAME_SPACE:
            return vectors
        what = f"lowest cosine {cosine:.3f}, {SAME_SPACE} is needed" if fits else f"{has} components"
        raise SpaceMismatch(
            f"The endpoint's vectors are not those of the embedding space in use. Needed: {space.describe()}. "
            f"Found at {self._endpoint.name}: model {signed or 'without a name'} ({what}). Nothing was classified "
            "with them. Serve the needed model there, or choose or train a bundle for the model found."
        )
