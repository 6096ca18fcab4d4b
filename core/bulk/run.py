"""One run of `triage classify`: shards asked for ahead, kept as they come, written in order."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from core.bulk.answers import added_columns, all_tasks, as_batch, error_cells, names_beside
from core.bulk.assess_pool import AssessPool, Desk, ShardPool
from core.bulk.batch import Batch, Table, shown
from core.bulk.columns import Columns
from core.bulk.durable import move_durably
from core.bulk.export import TableWriter, numbered, open_writer
from core.bulk.patient import make_notes
from core.bulk.shards import Parts, RunManifest, digest_of
from core.errors import BundleError, EndpointError, NoteError, TableError, TriageError
from core.notes import Note
from core.settings import Settings

TRIES = 3  # of a shard
MANY_ASIDE = 20  # shards; more of them are not the shards' own fault
log = logging.getLogger(__name__)


class RunStopped(TriageError):
    """A run ended before its last row; finished shards are kept and the same command goes on from them."""


@dataclass(slots=True)
class Shard:
    """One batch of rows on its way: its answers are stored already, or come from the pool."""

    number: int
    batch: Batch
    stored: pa.RecordBatch | None
    calls: list[list[Note]] = field(default_factory=list)
    asked: list[Future[pa.RecordBatch]] = field(default_factory=list)

    @property
    def rows(self) -> str:
        """Which rows of the table it holds, in words."""
        return f"rows {self.batch.start + 1:,} to {self.batch.start + self.batch.rows:,}"


class Run:
    """One run over one table; its arguments are those of `classify_table`."""

    def __init__(
        self,
        source: Path,
        target: Path,
        desk: Desk,
        table: Table,
        columns: Columns,
        shard_rows: int,
        sheet: str | None,
        on_done: Callable[[int], None],
        signature: bool,
        cluster: Settings | None,
    ) -> None:
        self._signature, self._cluster = signature, cluster
        self._files: tuple[Path, ...] = (target,)
        self._unfinished_files: tuple[Path, ...] = ()
        self._source, self._target, self._desk, self._table, self._columns = source, target, desk, table, columns
        self._identity = desk.bundle.identity
        self._tasks = all_tasks(desk.bundle.heads)
        self._added = added_columns(self._tasks)
        self._names = names_beside(self._added, table.columns)
        self._parts = Parts(target, self._added)
        self._shard_rows, self._sheet, self._on_done = shard_rows, sheet, on_done
        self._rows = self._errors = self._reused = 0

    @property
    def notices(self) -> tuple[str, ...]:
        """Which added columns had to take another name, and in which files rows stand."""
        found = []
        if renamed := {own: name for own, name in self._names.items() if own != name}:
            listed = ", ".join(f"{own} as {shown(name)}" for own, name in renamed.items())
            found.append(
                f"The table has columns named like the answers; they stay, and the answers stand beside them: {listed}."
            )
        if len(self._files) > 1:
            listed = ", ".join(path.name for path in self._files)
            found.append(f"One sheet can't hold all rows; they stand in {listed}, in order.")
        return tuple(found)

    def do(self, bar: "tqdm[NoReturn]", patience: float) -> dict[str, int]:
        """Begin or go on, until the target is complete."""
        before = self._source.stat()
        try:
            self._parts.begin(self._manifest)
            self._write(bar, patience)
            after = self._source.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise TableError(f"{self._source.name} changed while it was read. Nothing was written; run again.")
            self._publish()
        finally:
            self._parts.leave()
        return {
            "rows": self._rows,
            "classified": self._rows - self._errors,
            "errors": self._errors,
            "reused_rows": self._reused,
        }

    def _write(self, bar: "tqdm[NoReturn]", patience: float) -> None:
        """Write the unfinished target, whole."""
        pool = self._open_pool(patience, lambda notes: self._advance(bar, notes))
        finished = False
        try:
            self._write_all(pool, bar)
            finished = True
        except KeyboardInterrupt:
            raise RunStopped(f"Stopped. {self._kept()}") from None
        except (EndpointError, BundleError) as error:
            raise RunStopped(f"{error} {self._kept()}") from None
        except OSError as error:
            raise TableError(f"{self._target} can't be written ({_why(error)}). {self._kept()}") from None
        finally:
            pool.close(wait=finished)

    @cached_property
    def _manifest(self) -> RunManifest:
        identity, columns = self._identity, self._columns
        return RunManifest(
            input=self._source.name,
            input_digest=digest_of(self._source),
            text_column=columns.text,
            age_column=columns.age,
            sex_column=columns.sex,
            model=f"{identity.bundle} {identity.version} {identity.embedding}",
            columns=tuple(self._added),
            shard_rows=self._shard_rows,
            sheet=self._sheet,
        )

    def _open_pool(self, patience: float, on_done: Callable[[int], None]) -> ShardPool:
        """This process's threads, or the workers of a Ray cluster."""
        if self._cluster is None:
            return AssessPool(self._desk, self._tasks, self._added, patience=patience, on_done=on_done)
        from core.bulk.ray_pool import RayPool

        return RayPool(
            self._cluster, self._tasks, self._added, shard_rows=self._shard_rows, patience=patience, on_done=on_done
        )

    def _advance(self, bar: "tqdm[NoReturn]", rows: int) -> None:
        bar.update(rows)
        self._on_done(rows)

    def _kept(self) -> str:
        rows = self._parts.rows_kept()
        of_all = f" of {self._table.rows:,}" if self._table.rows is not None else ""
        return f"{rows:,}{of_all} rows are done and kept; run the same command again to go on."

    @property
    def _unfinished(self) -> Path:
        return self._parts.folder / f"unfinished{self._target.suffix.lower()}"

    def _write_all(self, pool: ShardPool, bar: "tqdm[NoReturn]") -> None:
        facts = {name: str(value) for name, value in asdict(self._manifest).items() if value is not None}
        facts["columns"] = " ".join(self._added)
        writer = open_writer(
            self._unfinished, self._table, self._added, self._names, signature=self._signature, facts=facts
        )
        aside: list[str] = []
        try:
            for shard in self._shards_ahead(pool, bar):
                answers = shard.stored
                if answers is None:
                    answers = self._answers(shard, pool)
                if answers is None:
                    aside.append(shard.rows)
                    if len(aside) > MANY_ASIDE:
                        break
                elif not aside:
                    self._put(shard, answers, writer)
            if aside:
                raise RunStopped(
                    f"{len(aside)} parts of the table failed {TRIES} times each and were set aside: "
                    f"{'; '.join(aside[:5])}{'; …' if len(aside) > 5 else ''}. {self._kept()}"
                )
            writer.close()
            self._unfinished_files = writer.files
        except BaseException:
            writer.discard()
            raise

    def _shards_ahead(self, pool: ShardPool, bar: "tqdm[NoReturn]") -> Iterator[Shard]:
        """Shards in order, the next ones already on their way."""
        waiting: deque[Shard] = deque()
        ahead = 1 + -(-pool.workers * pool.notes_per_call // self._shard_rows)
        for number, batch in enumerate(self._table.batches(self._shard_rows)):
            waiting.append(self._start(number, batch, pool, bar))
            if len(waiting) > ahead:
                yield waiting.popleft()
        yield from waiting

    def _start(self, number: int, batch: Batch, pool: ShardPool, bar: "tqdm[NoReturn]") -> Shard:
        if (stored := self._parts.load(number, batch.rows)) is not None:
            self._reused += batch.rows
            if not bar.disable:
                bar.initial += batch.rows  # so that the rate shown is of the rows done now
            self._advance(bar, batch.rows)
            return Shard(number, batch, stored)
        at = self._columns
        ages = batch.columns[at.age] if at.age else None
        sexes = batch.columns[at.sex] if at.sex else None
        notes = make_notes(batch.columns[at.text], ages, sexes)
        if batch.problems:
            notes = [note for place, note in enumerate(notes) if place not in batch.problems]
            self._advance(bar, len(batch.problems))
        size = pool.notes_per_call
        calls = [notes[start : start + size] for start in range(0, len(notes), size)]
        return Shard(number, batch, None, calls, [pool.submit(call) for call in calls])

    def _answers(self, shard: Shard, pool: ShardPool) -> pa.RecordBatch | None:
        """The answers of a shard, kept; none after it failed for its own sake as often as it may."""
        for attempt in range(1, TRIES + 1):
            try:
                answers = self._gather(shard)
            except (TriageError, OSError):  # the endpoint, the bundle or the disk: every shard's affair
                raise
            except Exception as error:
                log.warning("%s failed: %s", shard.rows, type(error).__name__)
                if attempt == TRIES:
                    self._parts.set_aside(shard.number, type(error).__name__)
                    return None
                shard.asked = [pool.submit(call) for call in shard.calls]
            else:
                self._parts.save(shard.number, answers)
                return answers
        return None

    def _put(self, shard: Shard, answers: pa.RecordBatch, writer: TableWriter) -> None:
        writer.write(shard.batch, answers)
        self._rows += shard.batch.rows
        self._errors += pc.sum(pc.equal(answers["status"], "error")).as_py()

    def _gather(self, shard: Shard) -> pa.RecordBatch:
        answered = [future.result() for future in shard.asked]
        problems = shard.batch.problems
        if not problems:
            return pa.concat_batches(answered)
        odd = sorted(problems)
        errors = [NoteError(f"{problems[place]}: assess it by hand.") for place in odd]
        failed = as_batch(error_cells(errors, self._tasks, self._identity), self._added)
        others = [place for place in range(shard.batch.rows) if place not in problems]
        return pa.concat_batches([*answered, failed]).take(np.argsort(others + odd))

    def _publish(self) -> None:
        # The target itself comes last: where it is, all is.
        moves = [(path, numbered(self._target, n)) for n, path in enumerate(self._unfinished_files, start=1)]
        try:
            for path, target in reversed(moves):
                move_durably(path, target)
        except OSError as error:
            raise TableError(f"{self._target} can't be written ({error.strerror}). {self._kept()}") from None
        self._files = tuple(target for _, target in moves)
        self._parts.remove()


def _why(error: OSError) -> str:
    """The system's words for an error; Arrow puts its own around them."""
    return os.strerror(error.errno) if error.errno else "the disk gave no reason"
