"""One run of `triage classify`: shards asked for ahead, kept as they come, written in order."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from core.bulk.answers import AnswerLayout, names_beside
from core.bulk.assess_pool import AssessPool, Desk
from core.bulk.batch import Batch, Table, shown
from core.bulk.columns import Columns
from core.bulk.durable import digest_of, move_durably
from core.bulk.export import numbered, open_writer
from core.bulk.parts_folder import Parts, PartsTarget, RunManifest
from core.bulk.shard import TRIES, ShardDesk, ShardUnderWay
from core.errors import BundleError, EndpointError, TableError, TriageError
from core.settings import Settings

MANY_ASIDE = 20  # shards; more of them are not the shards' own fault


class RunStopped(TriageError):
    """A run ended before its last row; finished shards are kept and the same command goes on from them."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of the table, read already: the source of one shard."""

    batch: Batch
    columns: Columns

    @property
    def label(self) -> str:
        """Which rows of the table they are, in words."""
        return f"rows {self.batch.start + 1:,} to {self.batch.start + self.batch.rows:,}"

    @property
    def rows(self) -> int:
        """How many rows they are."""
        return self.batch.rows

    def read(self) -> Batch:
        """The rows."""
        return self.batch


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
        masked: bool,
        cluster: Settings | None,
    ) -> None:
        self._signature, self._masked, self._cluster = signature, masked, cluster
        self._files: tuple[Path, ...] = (target,)
        self._unfinished_files: tuple[Path, ...] = ()
        self._source, self._target, self._desk, self._table, self._columns = source, target, desk, table, columns
        self._layout = AnswerLayout.of(desk.bundle.heads, desk.bundle.identity)
        self._names = names_beside(self._layout.kinds, table.columns)
        self._parts = Parts(target, self._layout.kinds)
        self._shard_rows, self._sheet, self._on_done = shard_rows, sheet, on_done
        self._waiting: deque[tuple[Rows, PartsTarget, ShardUnderWay]] = deque()
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
        identity, columns = self._layout.model, self._columns
        return RunManifest(
            input=self._source.name,
            input_digest=digest_of(self._source),
            text_column=columns.text,
            age_column=columns.age,
            sex_column=columns.sex,
            model=f"{identity.bundle} {identity.version} {identity.embedding}",
            columns=tuple(self._layout.kinds),
            shard_rows=self._shard_rows,
            sheet=self._sheet,
        )

    def _open_pool(self, patience: float, on_done: Callable[[int], None]) -> ShardDesk:
        """This process's threads, or the workers of a Ray cluster."""
        if self._cluster is None:
            return AssessPool(self._desk, patience=patience, on_done=on_done)
        from core.bulk.ray_pool import RayPool

        return RayPool(self._cluster, self._layout, shard_rows=self._shard_rows, patience=patience, on_done=on_done)

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

    def _write_all(self, desk: ShardDesk, bar: "tqdm[NoReturn]") -> None:
        facts = {name: str(value) for name, value in asdict(self._manifest).items() if value is not None}
        facts["columns"] = " ".join(self._layout.kinds)
        writer = open_writer(
            self._unfinished, self._table, self._layout.kinds, self._names, signature=self._signature, facts=facts,
            masked=self._columns.text if self._masked else None,
        )  # fmt: skip
        aside: list[str] = []
        try:
            for source, target, shard in self._shards_ahead(desk, bar):
                report = shard.finish()
                if report.aside:
                    aside.append(source.label)
                    if len(aside) > MANY_ASIDE:
                        break
                elif not aside and target.answers is not None:
                    writer.write(source.batch, target.answers)
                    self._rows += report.rows
                    self._errors += report.errors
            if aside:
                raise RunStopped(f"{set_aside_text(aside)} {self._kept()}")
            writer.close()
            self._unfinished_files = writer.files
        except BaseException:
            for _, _, shard in self._waiting:
                shard.keep_if_answered()
            writer.discard()
            raise

    def _shards_ahead(
        self, desk: ShardDesk, bar: "tqdm[NoReturn]"
    ) -> Iterator[tuple[Rows, PartsTarget, ShardUnderWay]]:
        """Shards in order, the next ones already on their way."""
        waiting = self._waiting
        ahead = 1 + -(-desk.workers * desk.notes_per_call // self._shard_rows)
        for number, batch in enumerate(self._table.batches(self._shard_rows)):
            source, target = Rows(batch, self._columns), PartsTarget(self._parts, number, batch.rows)
            shard = ShardUnderWay(source, target, desk)
            if shard.report:
                self._reused += batch.rows
                if not bar.disable:
                    bar.initial += batch.rows  # so that the rate shown is of the rows done now
            if done := batch.rows if shard.report else shard.problem_rows:
                self._advance(bar, done)
            waiting.append((source, target, shard))
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()

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


def set_aside_text(labels: Sequence[str]) -> str:
    """Which parts were set aside, in a sentence; many are named by the first of them."""
    parts = "1 part of the table" if len(labels) == 1 else f"{len(labels)} parts of the table"
    were = "was" if len(labels) == 1 else "were"
    return f"{parts} failed {TRIES} times and {were} set aside: {'; '.join(labels[:5])}{'; …' if labels[5:] else ''}."


def _why(error: OSError) -> str:
    """The system's words for an error; Arrow puts its own around them."""
    return os.strerror(error.errno) if error.errno else "the disk gave no reason"
