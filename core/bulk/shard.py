"""One shard: some rows of a table get their answers, which are kept for good; a shard that is kept is not done again.

`classify_shard` is all of it. A run begins the next shards before it ends this one (`ShardUnderWay`), so that the
endpoint never waits for a file.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.bulk.answers import AnswerLayout
from core.bulk.batch import Batch
from core.bulk.columns import Columns
from core.bulk.patient import make_notes
from core.errors import NoteError, TriageError
from core.notes import Note

TRIES = 3  # of a shard
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What became of a shard.

    Attributes:
        rows: its rows.
        errors: those with `status=error`.
        reused: it was finished already, by an earlier run.
        aside: why it was set aside; none: it is finished.
    """

    rows: int
    errors: int
    reused: bool = False
    aside: str | None = None


class ShardSource(Protocol):
    """Where the rows of a shard stand."""

    @property
    def label(self) -> str:
        """Which rows they are, in words."""

    @property
    def rows(self) -> int:
        """How many rows they are."""

    @property
    def columns(self) -> Columns:
        """Where notes, ages and sexes stand."""

    def read(self) -> Batch:
        """The rows.

        Raises:
            TableError: they can no longer be read as the table was checked.
        """


class ShardTarget(Protocol):
    """Where the answers of a shard are kept."""

    def kept(self) -> ShardReport | None:
        """What an earlier run finished; none if it did not, or if what it left is damaged."""

    def keep(self, batch: Batch, answers: pa.RecordBatch) -> None:
        """Keep the answers for good: after a crash all of them are there, or none.

        Raises:
            TableError, OSError: they can't be written.
        """

    def set_aside(self, reason: str) -> None:
        """Note why the shard is not done; the next run tries it again."""


class ShardDesk(Protocol):
    """Who answers the notes of shards: threads over a desk (`AssessPool`), or a cluster (`core.bulk.ray_pool`)."""

    layout: AnswerLayout
    workers: int
    notes_per_call: int

    def submit(self, notes: Sequence[Note]) -> Future[pa.RecordBatch]:
        """The added columns to come for the notes, in their order."""

    def close(self, *, wait: bool) -> None:
        """End it: after all that was submitted (`wait`), or at once."""


def classify_shard(source: ShardSource, target: ShardTarget, desk: ShardDesk) -> ShardReport:
    """Give every row of a shard its answer and keep it; a shard that is kept already is left as it is.

    Args:
        source: the rows.
        target: where they are kept.
        desk: who answers.

    Raises:
        TriageError: the endpoint, the bundle or a file failed, which is every shard's affair.
    """
    return ShardUnderWay(source, target, desk).finish()


class ShardUnderWay:
    """A shard whose notes are with the desk, or which was kept already.

    Attributes:
        report: what an earlier run finished; none: it is under way.

    Args:
        source: the rows.
        target: where they are kept.
        desk: who answers.
    """

    def __init__(self, source: ShardSource, target: ShardTarget, desk: ShardDesk) -> None:
        self._source, self._target, self._desk = source, target, desk
        self.report = target.kept()
        self._asked = [] if self.report else [desk.submit(call) for call in self._calls]

    @property
    def problem_rows(self) -> int:
        """Rows that no note is made of."""
        return 0 if self.report else len(self._batch.problems)

    def finish(self) -> ShardReport:
        """Wait for the answers and keep them; set the shard aside if it fails `TRIES` times for its own sake."""
        for attempt in range(1, TRIES + 1):
            if self.report:
                break
            try:
                answers = self._gather()
            except (TriageError, OSError):  # the endpoint, the bundle or the disk: every shard's affair
                raise
            except Exception as error:
                log.warning("%s failed: %s", self._source.label, type(error).__name__)
                if attempt == TRIES:
                    self._target.set_aside(type(error).__name__)
                    return ShardReport(self._source.rows, 0, aside=type(error).__name__)
                self._asked = [self._desk.submit(call) for call in self._calls]
            else:
                self._target.keep(self._batch, answers)
                self.report = ShardReport(self._batch.rows, errors_in(answers))
        assert self.report is not None  # noqa: S101 - each way out of the loop has it
        return self.report

    def keep_if_answered(self) -> None:
        """Keep the shard if all its answers are there, for a run that ends before its turn."""
        if not self.report and all(future.done() and not future.cancelled() for future in self._asked):
            with suppress(Exception):  # it was not its turn: the next run does it
                self._target.keep(self._batch, self._gather())

    @cached_property
    def _batch(self) -> Batch:
        return self._source.read()

    @cached_property
    def _calls(self) -> list[list[Note]]:
        """The notes in lists that are best submitted together; rows that have a problem give none."""
        batch, at = self._batch, self._source.columns
        ages = batch.columns[at.age] if at.age else None
        sexes = batch.columns[at.sex] if at.sex else None
        notes = make_notes(batch.columns[at.text], ages, sexes)
        if batch.problems:
            notes = [note for place, note in enumerate(notes) if place not in batch.problems]
        size = self._desk.notes_per_call
        return [notes[start : start + size] for start in range(0, len(notes), size)]

    def _gather(self) -> pa.RecordBatch:
        answered = [future.result() for future in self._asked]
        problems = self._batch.problems
        if not problems:
            return pa.concat_batches(answered)
        odd = sorted(problems)
        failed = self._desk.layout.errors([NoteError(f"{problems[place]}: assess it by hand.") for place in odd])
        others = [place for place in range(self._batch.rows) if place not in problems]
        return pa.concat_batches([*answered, failed]).take(np.argsort(others + odd))


def errors_in(answers: pa.RecordBatch) -> int:
    """How many of the answers are errors."""
    return int(pc.sum(pc.equal(answers["status"], "error")).as_py() or 0)
