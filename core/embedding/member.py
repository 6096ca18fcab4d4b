"""One endpoint of a line: its load, its circuit breaker, and whether its vectors are trusted."""

import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.embedding.adaptive import AdaptiveLimit
from core.embedding.attempts import BreakerOpen, Patience
from core.embedding.breaker import CircuitBreaker
from core.embedding.endpoint import KEPT, Answer, Endpoint, fitted
from core.embedding.space import CANARIES, SAME_SPACE, EmbeddingSpace, Fingerprint, Vectors
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointError,
    EndpointTimeout,
    EndpointUnavailable,
    SpaceMismatch,
)
from core.telemetry import observe

Row = NDArray[np.float32]


@dataclass(slots=True)
class Agreed:
    """What every endpoint of a line has to give.

    Attributes:
        space: the embedding space; dimension 0 is learnt from the first answer.
        fingerprint: what the canaries' vectors must be; None: what they are at first must stay.
        closed: set when the line is closed.
    """

    space: EmbeddingSpace
    fingerprint: Fingerprint | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def waits(self, patience: Patience) -> bool:
        """Whether anybody still waits: neither closed, nor out of time, nor given up by the caller."""
        return patience.left > 0 and not self.closed.is_set()


class Member:
    """Gets vectors of one space from one endpoint, one attempt at a time. Safe to use from several threads.

    Attributes:
        endpoint: where vectors come from.
        breaker: its circuit breaker.
        outstanding: texts that it was given and has not answered, while they wait for the fingerprint, too.
        mismatch: why its vectors are refused, while they are.

    Args:
        endpoint: where vectors come from.
        agreed: what they must be.
        concurrency: requests under way at once.
        longest_attempt: seconds that one request may take.
        recheck_after: seconds without an answer after which the fingerprint is compared again, since a server can be
            replaced while nobody asks it.
        breaker: the circuit breaker.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        agreed: Agreed,
        *,
        concurrency: int,
        longest_attempt: float,
        recheck_after: float,
        breaker: CircuitBreaker,
    ) -> None:
        self.endpoint, self.breaker = endpoint, breaker
        self.outstanding = 0
        self.mismatch: SpaceMismatch | None = None
        self._agreed = agreed
        self._canaries: Vectors = np.empty((0, 0), np.float32)
        self._longest, self._recheck_after = longest_attempt, recheck_after
        self._concurrency = concurrency
        self._places = AdaptiveLimit(concurrency)
        self._check, self._counting = threading.Lock(), threading.Lock()
        self._epoch, self._trusted = 1, 0  # vectors are trusted while these are equal; an outage begins a new epoch
        self._signed: set[str] = set()
        self._last_answer = time.monotonic()

    @property
    def requests_allowed(self) -> int:
        """Requests that may be under way at once now."""
        return self._places.now

    def vectors(self, texts: list[str], patience: Patience) -> Vectors:
        """One attempt at the vectors of `texts`, with what trust in the endpoint asks for before and after it.

        Raises:
            EndpointError: there are none.
            SpaceMismatch: they are of another space.
        """
        self._count(len(texts))  # before the fingerprint is compared: else everything would be given to this one
        try:
            return self._trusted_vectors(texts, patience)
        finally:
            self._count(-len(texts))

    def _trusted_vectors(self, texts: list[str], patience: Patience) -> Vectors:
        if time.monotonic() - self._last_answer > self._recheck_after:
            self.doubt()
        if self._trusted != self._epoch:
            self.verify(patience)
        epoch = self._epoch
        vectors, signed = self._call(texts, patience)
        if signed not in self._signed:
            self.doubt()
        if epoch != self._epoch:  # something broke meanwhile: who gave these vectors?
            self.verify(patience)
            if signed not in self._signed:
                raise EndpointUnavailable(f"{self.endpoint.name} answers in the name of several models. {KEPT}")
        return vectors

    def doubt(self) -> None:
        """Begin a new epoch: vectors are trusted again after the fingerprint has been compared."""
        self._epoch += 1

    def verify(self, patience: Patience) -> Vectors:
        """Compare the canaries' vectors, which it gives; one thread does it, the others wait for the outcome."""
        if not self._check.acquire(timeout=max(patience.left, 0.0)):
            raise EndpointTimeout(f"{self.endpoint.name} gave no answer in time. {KEPT}")
        try:
            if self._trusted != (epoch := self._epoch):
                self._compare(patience)
                self._trusted = epoch
            return self._canaries
        finally:
            self._check.release()

    def abandon(self) -> None:
        """Leave requests that a trickling answer holds to themselves; later ones get places and connections anew."""
        self._places = AdaptiveLimit(self._concurrency)
        self.endpoint.abandon()

    def _call(self, texts: list[str], patience: Patience) -> tuple[Vectors, str]:
        """One request: the vectors in the space's dimension, and the model name that the server signed with."""
        answer, space = self._answer(texts, patience), self._agreed.space
        if not space.dimension:
            return fitted(answer.vectors, answer.vectors.shape[1], matryoshka=False), answer.model
        try:
            return fitted(answer.vectors, space.dimension, matryoshka=space.matryoshka), answer.model
        except EndpointBadAnswer:
            self.doubt()  # the canaries tell whether this is another model
            raise

    def _answer(self, texts: list[str], patience: Patience) -> Answer:
        if not self._agreed.waits(patience):
            raise EndpointTimeout(f"{self.endpoint.name} gave no answer in time. {KEPT}")
        places = self._places
        if not places.acquire(patience.left):
            raise EndpointTimeout(f"{self.endpoint.name} is busy with other requests. {KEPT}")
        try:
            pause = self.breaker.wait()
            if pause:
                name = self.endpoint.name
                raise BreakerOpen(f"{name} keeps failing and is left alone for a moment. {KEPT}", pause)
            answer = self._asked(texts, patience, places)
        finally:
            places.release()
        self._last_answer = time.monotonic()
        return answer

    def _count(self, texts: int) -> None:
        with self._counting:  # `+=` alone loses counts between threads, and the balance would drift
            self.outstanding += texts

    def _asked(self, texts: list[str], patience: Patience, places: AdaptiveLimit) -> Answer:
        """The endpoint's answer; its outcome told to the breaker and the limit, and doubt raised by an outage."""
        started = time.monotonic()
        try:
            timeout = min(patience.left, self._longest)
            with observe.endpoint_call(self.endpoint.name, len(texts)):
                answer = self.endpoint.embed(texts, timeout=timeout, urgent=patience.urgent)
        except (EndpointUnavailable, EndpointTimeout) as error:
            self.doubt()
            self.breaker.failed()
            if isinstance(error, EndpointTimeout):
                places.overloaded()
            raise
        except EndpointBusy:
            self.doubt()
            places.overloaded()
            raise
        except EndpointError:
            self.breaker.succeeded()
            raise
        self.breaker.succeeded()
        places.answered(len(texts), time.monotonic() - started)
        return answer

    def _compare(self, patience: Patience) -> None:
        texts = [self._agreed.space.prefix + text for text in CANARIES]
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
        agreed, has = self._agreed, found.shape[1]
        if not agreed.space.dimension:
            agreed.space = replace(agreed.space, dimension=has)
        space = agreed.space
        fits = has == space.dimension or (space.matryoshka and has > space.dimension)
        vectors = fitted(found, space.dimension, matryoshka=space.matryoshka) if fits else found
        if agreed.fingerprint is None and fits:
            agreed.fingerprint = Fingerprint(vectors)
        cosine = agreed.fingerprint.compare(vectors) if agreed.fingerprint else -1.0
        if cosine >= SAME_SPACE:
            self.mismatch = None
            return vectors
        what = f"lowest cosine {cosine:.3f}, {SAME_SPACE} is needed" if fits else f"{has} components"
        self.mismatch = SpaceMismatch(
            f"The endpoint's vectors are not those of the embedding space in use. Needed: {space.describe()}. "
            f"Found at {self.endpoint.name}: model {signed or 'without a name'} ({what}). Nothing was classified "
            "with them. Serve the needed model there, or choose or train a bundle for the model found."
        )
        raise self.mismatch
