"""The embedder: notes' texts in, vectors of one embedding space out, whatever happens on the way."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar

from core.embedding.attempts import Patience
from core.embedding.cache import CacheKeys, NoCache, VectorCache
from core.embedding.courtesy import Courtesy
from core.embedding.endpoint import KEPT, Endpoint
from core.embedding.fresh import Fresh
from core.embedding.job import Job
from core.embedding.line import Line
from core.embedding.member import Row
from core.embedding.pace import Pace
from core.embedding.packing import pack
from core.embedding.space import EmbeddingSpace, Fingerprint, Vectors
from core.errors import EndpointError, EndpointTimeout, TriageError
from core.telemetry import observe, tracing

P = ParamSpec("P")
R = TypeVar("R")
Ask = Callable[[Sequence[str], Patience], list[Row | EndpointError]]

SPARE = 64  # threads for other calls while one waits out an outage; the line bounds requests
SENT = 0.002  # seconds in which a request has been put together and sent
GRACE = 0.1  # seconds after its deadline in which a request ends by itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint is sent at most.

    Attributes:
        concurrency: requests under way at once.
        list_texts: texts a request.
        list_tokens: estimated tokens a request.
        batches: whether a list of a few texts takes about as long as one of them.
    """

    concurrency: int = 8
    list_texts: int = 256
    list_tokens: int = 32_768
    batches: bool = True


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The answer to one call of `Embedder.embed`.

    Attributes:
        vectors: (number of texts, dimension) float32, each row of length 1; the row of a failed text is NaN.
        errors: why a text has no vector, by position.
        truncated: positions of the texts that were cut to the space's length.
    """

    vectors: Vectors
    errors: Mapping[int, TriageError]
    truncated: frozenset[int]


class Embedder:
    """Embeds texts through one endpoint. Several threads may call `embed` at once; they share the concurrency."""

    def __init__(
        self,
        line: Line,
        *,
        cache: VectorCache | None = None,
        keys: CacheKeys | None = None,
        limits: Limits | None = None,
        courtesy: Courtesy | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Connects to nothing yet.

        Args:
            line: the line to the endpoint, which knows the space.
            cache: where vectors are kept; none without `keys`.
            keys: names texts in the cache.
            limits: what the endpoint is sent at most.
            courtesy: lets tables give way to notes; none: the endpoint itself lets a note in between two texts.
            timeout: seconds that a request list may take, all attempts together, when `embed` is told nothing else.
        """
        self._line = line
        self._cache: VectorCache = cache or NoCache()
        self._keys = keys
        self.limits = limits or Limits()
        self._courtesy = courtesy
        self._pace = self._new_pace()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def space(self) -> EmbeddingSpace:
        """The embedding space of every vector that this embedder gives."""
        return self._line.space

    @property
    def endpoint_name(self) -> str:
        """The endpoint's address, for messages."""
        return self._line.name

    def embed(
        self,
        texts: Sequence[str],
        *,
        timeout: float | None = None,
        on_done: Callable[[int], None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Embeddings:
        """The vectors of `texts`: each cleaned, cut if need be, and embedded once however often it occurs.

        Args:
            texts: notes' texts as written.
            timeout: seconds for the whole call; outages shorter than that are waited out. None: the endpoint's own
                timeout for each request list, and only a few attempts.
            on_done: told how many more texts are finished (with a vector or an error), as they come.
            meanwhile: done once, while the endpoint is at work, where there is something to wait for.

        Raises:
            EndpointError: the endpoint as a whole gave no vectors; those that had come are in the cache.
            SpaceMismatch: the endpoint's vectors are of another space.
        """
        job = Job(texts, self.space, on_done)
        waiting = self._from_cache(job)
        fresh = Fresh(self._cache, self._keys)
        try:
            for part, rows in self._requests(waiting, timeout, meanwhile):
                fresh.add(waiting[part], rows)
                for text, row in zip(waiting[part], rows, strict=True):
                    job.finish(text, row)
                job.tell()
        finally:
            fresh.keep()
        return Embeddings(job.vectors, job.errors, frozenset(job.truncated))

    def through(self, around: Callable[[Endpoint], Endpoint]) -> None:
        """Put something around every endpoint, such as a limit that several processes share."""
        self._line.through(around)

    def check_reachable(self, *, timeout: float) -> None:
        """Ask the endpoint whether it is there, without sending it a text.

        Raises:
            EndpointError: it does not answer.
            SpaceMismatch: its vectors were seen to be of another space.
        """
        self._line.check_reachable(timeout=timeout)

    def canaries(self, *, timeout: float | None = None) -> Vectors:
        """The canaries' vectors, fresh from the endpoint.

        Raises:
            EndpointError: the endpoint gave no vectors.
            SpaceMismatch: they are of another space.
        """
        patience = Patience(time.monotonic() + (timeout or self._timeout), persistent=timeout is not None)
        future = self._submit(self._line.canaries, patience)
        self._finished({future: (slice(0), patience)})
        return future.result()

    def fingerprint(self) -> Fingerprint:
        """The fingerprint of this embedder's space.

        Raises:
            EndpointError: the endpoint gave no vectors.
        """
        return Fingerprint(self.canaries())

    def close(self) -> None:
        """Let go of the endpoint and the cache, and stop what was started for them."""
        self._line.close()
        self._cache.close()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        """The embedder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _from_cache(self, job: Job) -> list[str]:
        """Finish what the cache knows; the texts that it does not know."""
        texts = list(job.places)
        if self._keys is None or not texts:
            job.tell()
            return texts
        known = self._cache.get_many(self._keys.of_many(texts), self.space.dimension)
        for text, vector in zip(texts, known, strict=True):
            if vector is not None:
                job.finish(text, vector)
        job.tell()
        if not isinstance(self._cache, NoCache):
            observe.looked_up(len(known), sum(vector is not None for vector in known))
        return [text for text, vector in zip(texts, known, strict=True) if vector is None]

    def _requests(
        self, texts: Sequence[str], timeout: float | None, meanwhile: Callable[[], None] | None = None
    ) -> Iterator[tuple[slice, list[Row | EndpointError]]]:
        """Answers to the request lists that `texts` make, as they come.

        No more of them are handed to the pool than can be under way, so that a pasted note need not wait for a table.
        """
        a_table = timeout is not None
        if self._courtesy and texts and not a_table:
            self._courtesy.note()
        lists = deque(pack(texts, max_texts=self.limits.list_texts, max_tokens=self.limits.list_tokens))
        running: dict[Future[list[Row | EndpointError]], tuple[slice, Patience]] = {}
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while lists or running:
                while lists and len(running) < self._at_once(a_table):
                    part, ask = self._next(lists, a_table)
                    patience = Patience(end or time.monotonic() + self._timeout, persistent=a_table)
                    running[self._submit(ask, texts[part], patience)] = part, patience
                if meanwhile:
                    _first_of(running, SENT)  # else the request would wait for this thread
                    meanwhile()
                    meanwhile = None
                for future in self._finished(running):
                    part, _ = running.pop(future)
                    yield part, future.result()
        finally:
            for future, (_, patience) in running.items():
                patience.deadline = 0.0  # ends its attempts
                future.cancel()

    def _at_once(self, a_table: bool) -> int:
        """Requests of one call under way at once."""
        return self._pace.lists if self._gives_way(a_table) else self.limits.concurrency

    def _next(self, lists: deque[slice], a_table: bool) -> tuple[slice, Ask]:
        """The next list, and what asks for its vectors; of a table only the first few texts while notes come in."""
        part = lists.popleft()
        if not self._gives_way(a_table):
            return part, self._in_full if a_table else self._line.rows
        few = min(part.stop, part.start + self._pace.size())
        if few < part.stop:
            lists.appendleft(slice(few, part.stop))
        return slice(part.start, few), self._in_turn

    def _gives_way(self, a_table: bool) -> bool:
        return a_table and self._courtesy is not None and self._courtesy.asked

    def _in_turn(self, texts: Sequence[str], patience: Patience) -> list[Row | EndpointError]:
        """Rows of a table's short list, sent when no other is under way."""
        with self._pace.turn(len(texts), patience.left) as came:
            if not came:
                raise EndpointTimeout(f"{self.endpoint_name} is busy with other requests. {KEPT}")
            return self._line.rows(texts, patience)

    def _in_full(self, texts: Sequence[str], patience: Patience) -> list[Row | EndpointError]:
        """Rows of a table's list while nobody pastes notes."""
        with self._pace.at_full_length():
            return self._line.rows(texts, patience)

    def _new_pace(self) -> Pace:
        return Pace(self._line.endpoints, self.limits.list_texts)

    def _submit(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> Future[R]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.limits.concurrency + SPARE, thread_name_prefix="embedding")
            return self._pool.submit(tracing.carried(work), *arguments, **named)

    def _finished(self, running: Mapping[Future[R], tuple[slice, Patience]]) -> set[Future[R]]:
        """The requests that are done, waited for until the first one's deadline.

        Raises:
            EndpointTimeout: none was done by then.
        """
        left = min(patience.left for _, patience in running.values()) + GRACE
        done = _first_of(running, min(max(left, 0.0), threading.TIMEOUT_MAX))
        if done:
            return done
        if any(future.running() for future in running):
            self._abandon()
        raise EndpointTimeout(f"{self.endpoint_name} gave no answer in time. {KEPT}")

    def _abandon(self) -> None:
        """Leave threads that a trickling answer holds to themselves; later calls get new ones."""
        with self._lock:
            if self._pool:
                self._pool.shutdown(wait=False)
                self._pool = None
        self._pace = self._new_pace()  # a turn may never end
        self._line.abandon()


def _first_of(running: Collection[Future[R]], timeout: float) -> set[Future[R]]:
    """Those that are done when the first one is, or none within so many seconds."""
    if len(running) > 1:
        return wait(running, timeout, FIRST_COMPLETED).done
    (only,) = running
    try:
        only.exception(timeout)
    except TimeoutError:
        return set()
    return {only}
