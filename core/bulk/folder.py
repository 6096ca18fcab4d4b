"""`triage classify` over a folder of tables, here or in a bucket: a shard at a time, each read and kept on its own.

No row passes through one place that all must pass: on a cluster the workers read and write, the driver only hands out.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NoReturn

from tqdm import tqdm

from core.bulk.answers import AnswerLayout
from core.bulk.assess_pool import AssessPool, Desk
from core.bulk.classify import PATIENCE, RunReport
from core.bulk.durable import UNFINISHED
from core.bulk.folder_lock import FolderLock
from core.bulk.folder_plan import Plan, TablePart, plan_folder, stamp_of
from core.bulk.folder_target import MANIFEST, STATE, FileTarget, begin
from core.bulk.lease import Lease
from core.bulk.place import in_bucket, place_of, told
from core.bulk.run import MANY_ASIDE, RunStopped, set_aside_text
from core.bulk.shard import ShardReport, ShardUnderWay
from core.errors import BundleError, EndpointError, TableError
from core.settings import Settings

AHEAD_ON_A_CLUSTER = 4  # shards handed out for each that can be under way: the oldest may be slow


def classify_folder(
    source: str,
    target: str,
    desk: Desk,
    *,
    text_column: str | None = None,
    progress: bool | None = None,
    on_done: Callable[[int], None] = lambda _: None,
    part_rows: int | None = None,
    patience: float = PATIENCE,
    signature: bool = False,
    masked: bool = False,
    cluster: Settings | None = None,
) -> RunReport:
    """Classify every table of a folder into files of the same names in another; interrupted, it goes on where it was.

    Args:
        source: a folder or one table, as a path or as a URL that fsspec knows; csv and parquet are read.
        target: a folder that is new, or holds what the same run has done.
        desk: who assesses the notes.
        text_column: the column with the notes in every table; none: found in each by name or content.
        progress: show a progress bar on stderr; none: if stderr is a terminal.
        on_done: told how many more rows are done, those of an earlier run included; from several threads,
            once more after a stop if a call was under way.
        part_rows: rows of a file of the target; none: by size.
        patience: seconds to wait for an endpoint that fails as a whole.
        signature: begin each csv with a byte order mark, by which Excel knows its encoding.
        masked: mask identifiers in what is written.
        cluster: what the workers of a Ray cluster open their desks with; none: this process does the work.

    Raises:
        TableError: a table can't be read or written, or the target holds something else.
        SettingsError: a URL that nobody knows, or whose package is missing.
        RunStopped: interrupted, or the endpoint failed for longer than `patience`; finished parts are kept.
    """
    started = time.monotonic()
    run = FolderRun(source, target, desk, text_column, part_rows, signature, masked, cluster, on_done)
    show = sys.stderr.isatty() if progress is None else progress
    with tqdm(total=run.plan.rows, unit="row", disable=not show, file=sys.stderr, smoothing=0.05) as bar:
        rows, errors, reused = run.do(bar, patience)
    return RunReport(rows, rows - errors, errors, reused, time.monotonic() - started, run.plan.notices)


class FolderRun:
    """One run over a folder; its arguments are those of `classify_folder`."""

    def __init__(
        self,
        source: str,
        target: str,
        desk: Desk,
        text_column: str | None,
        part_rows: int | None,
        signature: bool,
        masked: bool,
        cluster: Settings | None,
        on_done: Callable[[int], None],
    ) -> None:
        self._desk, self._cluster, self._on_done = desk, cluster, on_done
        self._text_column, self._signature, self._masked = text_column, signature, masked
        self._layout = AnswerLayout.of(desk.bundle.heads, desk.bundle.identity)
        self._source, self._target = place_of(source), place_of(target)
        self.plan: Plan = plan_folder(self._source, self._target, text_column, part_rows)
        self._rows = self._errors = self._reused = 0

    def do(self, bar: "tqdm[NoReturn]", patience: float) -> tuple[int, int, int]:
        """Begin or go on until every part is there; gives rows, errors and rows that were there already."""
        leave, renew = self._enter()
        try:
            facts = begin(self._target, self.plan, self._layout, self._text_column, self._signature, self._masked)
            self._classify(facts, bar, patience, renew)
            self._check_unchanged()
        except KeyboardInterrupt:
            raise RunStopped(f"Stopped. {self._kept()}") from None
        except (EndpointError, BundleError) as error:
            raise RunStopped(f"{error} {self._kept()}") from None
        finally:
            leave()
        return self._rows, self._errors, self._reused

    def _enter(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Keep other runs out of the target; how to leave it, and how to say that one is still there."""
        state = self._target / STATE
        if in_bucket(state):
            lease = Lease(state)
            lease.take()
            return lease.leave, lease.renew
        with told(state, "written"):
            state.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(state)
            if not lock.take():
                raise TableError(
                    f"Another run is writing to {self._target} now. Nothing was done; wait for its end, or choose "
                    "another target."
                )
            if (state / MANIFEST).exists():
                for left in self._target.rglob(UNFINISHED):  # of a run that was killed: this one has the lock
                    left.unlink(missing_ok=True)
        return lock.leave, lambda: None

    def _classify(
        self, facts: dict[str, str], bar: "tqdm[NoReturn]", patience: float, renew: Callable[[], None]
    ) -> None:
        aside: list[str] = []
        for source, report in self._reports(facts, bar, patience):
            renew()
            if report.aside:
                aside.append(source.label)
                if len(aside) > MANY_ASIDE:
                    break
                continue
            self._rows += report.rows
            self._errors += report.errors
            self._reused += report.rows if report.reused else 0
        if aside:
            raise RunStopped(f"{set_aside_text(aside)} {self._kept()}")

    def _reports(
        self, facts: dict[str, str], bar: "tqdm[NoReturn]", patience: float
    ) -> Iterator[tuple[TablePart, ShardReport]]:
        """Each shard and what became of it, in order, the next ones already on their way."""

        def advance(rows: int) -> None:
            bar.update(rows)
            self._on_done(rows)

        start, ahead, close = (
            self._local(patience, advance) if self._cluster is None else self._on_cluster(patience, advance)
        )
        waiting: deque[tuple[TablePart, Callable[[], ShardReport]]] = deque()
        finished = False
        try:
            for source in self.plan.shards():
                target = FileTarget(
                    self._target, source.target, source.planned.table, self._layout, facts, self._signature,
                    source.columns.text if self._masked else None,
                )  # fmt: skip
                waiting.append((source, start(source, target)))
                if len(waiting) > ahead:
                    at, finish = waiting.popleft()
                    yield at, finish()
            while waiting:
                at, finish = waiting.popleft()
                yield at, finish()
            finished = True
        finally:
            close(finished)

    def _local(self, patience: float, advance: Callable[[int], None]) -> "Engine":
        """This process's threads."""
        pool = AssessPool(self._desk, patience=patience, on_done=advance)
        smallest = min(table.part_rows for table in self.plan.tables)

        def start(source: TablePart, target: FileTarget) -> Callable[[], ShardReport]:
            shard = ShardUnderWay(source, target, pool)
            if done := source.rows if shard.report else shard.problem_rows:
                advance(done)
            return shard.finish

        ahead = 1 + -(-pool.workers * pool.notes_per_call // smallest)
        return start, ahead, lambda finished: pool.close(wait=finished)

    def _on_cluster(self, patience: float, advance: Callable[[int], None]) -> "Engine":
        """The workers of a Ray cluster."""
        from core.bulk.ray_pool import RayPool

        assert self._cluster is not None  # noqa: S101 - asked before
        rows = max(table.part_rows for table in self.plan.tables)
        pool = RayPool(self._cluster, self._layout, shard_rows=rows, patience=patience, on_done=advance)

        def start(source: TablePart, target: FileTarget) -> Callable[[], ShardReport]:
            return pool.classify(source, target).result

        return start, AHEAD_ON_A_CLUSTER * pool.workers, lambda finished: pool.close(wait=finished)

    def _check_unchanged(self) -> None:
        for table in self.plan.tables:
            with told(table.place, "read"):
                if stamp_of(table.place) != table.stamp:
                    raise TableError(
                        f"{table.name} changed while it was read; its answers may be of either version. Choose a new "
                        "target and run again."
                    )

    def _kept(self) -> str:
        return f"{self._rows:,} of {self.plan.rows:,} rows are done and kept; run the same command again to go on."


Engine = tuple[
    Callable[[TablePart, FileTarget], Callable[[], ShardReport]], int, Callable[[bool], None]
]  # how to start a shard, how many to start ahead, how to end
