"""Threads that take lists of notes to the desk, so that the endpoint works on the next while answers are written."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

import pyarrow as pa

from core.answers import DeskAnswers
from core.bulk.answers import AnswerLayout, Cells, answer_cells, put_cells
from core.errors import EndpointBusy, EndpointError, EndpointRefused, EndpointTimeout, EndpointUnavailable
from core.notes import ModelIdentity, Note
from core.telemetry import observe

PASSING = (EndpointUnavailable, EndpointTimeout, EndpointBusy)
LONGEST_PAUSE = 8.0
WORKERS = 3
FEWEST_A_CALL = 64  # notes; the heads take about as long for one
FEWEST = 16


class TrainedBundle(Protocol):
    """What a run needs to know of a bundle."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""

    @property
    def heads(self) -> Mapping[str, object]:
        """The tasks that it answers, by name."""


class EndpointLimits(Protocol):
    """What the endpoint is sent at most (`core.embedding.client.Limits`)."""

    @property
    def concurrency(self) -> int:
        """Requests under way at once."""

    @property
    def list_texts(self) -> int:
        """Texts a request."""


class LimitedEmbedder(Protocol):
    """What a run needs to know of the embedder."""

    @property
    def limits(self) -> EndpointLimits:
        """What the endpoint is sent at most."""


class Desk(Protocol):
    """What a run needs of `core.triage.TriageDesk`."""

    @property
    def embedder(self) -> LimitedEmbedder:
        """Where its vectors come from."""

    @property
    def bundle(self) -> TrainedBundle:
        """The model in use."""

    def answer_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> DeskAnswers:
        """An answer or an error for each note; raises when the endpoint as a whole fails."""


class AssessPool:
    """A few threads over one desk; each call of the desk is repeated while the endpoint is away, up to `patience`.

    The threads are daemons: an interrupted run does not wait for a request that is under way.

    All calls together hold twice the texts that the endpoint works on at once, so that it never waits for the next.

    Attributes:
        layout: which columns the answers have.
        workers: calls under way at once.
        notes_per_call: notes that are best submitted together.

    Args:
        desk: the desk; its `answer_many` may be called from several threads.
        patience: seconds to wait for an endpoint that fails as a whole.
        on_done: told how many more notes have their answer, from the threads.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        patience: float,
        on_done: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self.layout = AnswerLayout.of(desk.bundle.heads, desk.bundle.identity)
        self._patience, self._on_done = patience, on_done
        limits = desk.embedder.limits
        self.workers = WORKERS
        self.notes_per_call = max(FEWEST_A_CALL, limits.list_texts * max(2, limits.concurrency // 2))
        self._last_answer = time.monotonic()
        self._calls: queue.SimpleQueue[tuple[Sequence[Note], Future[pa.RecordBatch]] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"assess-{number}", daemon=True) for number in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, notes: Sequence[Note]) -> Future[pa.RecordBatch]:
        """The added columns to come for the notes, in their order."""
        future: Future[pa.RecordBatch] = Future()
        self._calls.put((notes, future))
        return future

    def close(self, *, wait: bool) -> None:
        """End the threads: after all that was submitted (`wait`), or with the call each is in."""
        if not wait:
            self._stopping.set()
        for _ in self._threads:
            self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            notes, future = call
            if self._stopping.is_set():
                future.cancel()
                continue
            try:
                answers = self.layout.batch(self._cells(notes))
            except BaseException as error:  # handed to the thread that asked
                future.set_exception(error)
            else:
                self._on_done(len(notes))
                future.set_result(answers)

    def _cells(self, notes: Sequence[Note]) -> Cells:
        """Cells for the notes; those that failed for a reason that passes are sent once more."""
        cells, passing = self._answered(notes)
        if passing:
            put_cells(cells, passing, self._answered([notes[place] for place in passing], again=True)[0])
        return cells

    def _answered(self, notes: Sequence[Note], *, again: bool = False) -> tuple[Cells, list[int]]:
        """Cells for the notes, and the places of those that failed for a reason that passes.

        It waits while the endpoint is away; a call too slow for its time is made in halves.
        """
        give_up, pause = time.monotonic() + self._patience, 0.25
        while True:
            try:
                answers = self._desk.answer_many(notes, timeout=self._patience)
            except EndpointRefused:
                raise
            except EndpointError as error:
                if isinstance(error, EndpointTimeout) and time.monotonic() >= give_up and self._is_slow(len(notes)):
                    return self._in_halves(notes, again=again)
                asked = getattr(error, "retry_after", None) or 0.0
                wait = max(pause, min(asked, LONGEST_PAUSE))
                if time.monotonic() + wait > give_up or self._stopping.wait(wait):
                    raise
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._last_answer = time.monotonic()
                passing = [place for place, error in answers.errors.items() if isinstance(error, PASSING)]
                observe.rows(answers, apart=() if again else passing)
                return answer_cells(answers, self.layout.tasks), sorted(passing)

    def _in_halves(self, notes: Sequence[Note], *, again: bool) -> tuple[Cells, list[int]]:
        middle = len(notes) // 2
        first, these = self._answered(notes[:middle], again=again)
        second, more = self._answered(notes[middle:], again=again)
        return {name: first[name] + second[name] for name in first}, these + [middle + place for place in more]

    def _is_slow(self, notes: int) -> bool:
        """Whether a call that took too long may just have been too much for a slow endpoint that does answer."""
        recent = time.monotonic() - self._last_answer < 2 * self._patience
        return recent and notes > FEWEST and not self._stopping.is_set()
