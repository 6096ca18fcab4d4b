"""The process of one job.

`python -m core.bulk.job_process FOLDER` classifies its table, `… FOLDER .csv` exports it, `… FOLDER .csv masked` does
so without identifiers.
"""

import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.bulk.answers import ARROW_TYPES, Kind, added_columns, all_tasks
from core.bulk.assess_pool import Desk
from core.bulk.batch import Table
from core.bulk.classify import classify_table
from core.bulk.durable import move_durably
from core.bulk.excel_writer import check_fits_excel
from core.bulk.export import TableWriter, open_writer
from core.bulk.job_run import Progress, rows_kept
from core.bulk.jobs import MASKED, Choice, Job, in_words_of_the_page
from core.bulk.outcome import Outcome, sum_up
from core.bulk.run import RunStopped
from core.bulk.tables import open_table
from core.errors import TableError, TriageError
from core.records.acts import Act
from core.records.database import open_records
from core.settings import load_settings
from core.telemetry.shares import Share
from core.triage import TriageDesk

EVERY = 0.4  # seconds between two words about progress
WINDOW = 30.0  # seconds over which the rate is taken
EXPORT_ROWS = 2000
SHARD_ROWS = 500  # a person who stops a run loses a few seconds of it
log = logging.getLogger(__name__)


class ProgressWriter:
    """Writes a job's progress, told from several threads.

    Args:
        job: whose.
        total: all its rows.
        kept: rows that an earlier run had finished.
        clock: seconds.
    """

    def __init__(self, job: Job, total: int, kept: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._job, self._clock = job, clock
        self._lock = threading.Lock()
        self._done = 0
        self._seen: deque[tuple[float, int]] = deque([(clock(), 0)])
        self.now = Progress("opening", 0, total, kept)
        self.now.write(job)

    def advance(self, rows: int) -> None:
        """So many more rows are done."""
        with self._lock:
            self._done += rows
            moment = self._clock()
            if moment - self._seen[-1][0] < EVERY and self._done < self.now.total:
                return
            # Rows of an earlier run come in at once and say nothing about the rate.
            fresh = max(0, self._done - self.now.kept)
            self._seen.append((moment, fresh))
            while len(self._seen) > 2 and moment - self._seen[0][0] > WINDOW:
                self._seen.popleft()
            since, before = self._seen[0]
            rate = (fresh - before) / (moment - since) if moment > since else 0.0
            self.now = replace(self.now, phase="running", done=self._done, rate=rate)
            self.now.write(self._job)

    def enter(self, phase: str, *, trouble: str = "", message: str = "") -> None:
        """A new phase begins."""
        with self._lock:
            self.now = replace(self.now, phase=phase, done=self._done, trouble=trouble, message=message)
            self.now.write(self._job)


def classify(job: Job, choice: Choice, open_desk: Callable[[], TriageDesk] = TriageDesk.open) -> Progress:
    """Classify the job's table, and leave its outcome; how it ended."""
    writer = ProgressWriter(job, job.look.rows, rows_kept(job))
    try:
        with open_desk() as desk:
            _run(job, choice, desk, writer)
    except KeyboardInterrupt:
        writer.enter("stopped")
    except RunStopped as error:
        _tell_why(error.__context__ or error, writer, job)
    except TriageError as error:
        _tell_why(error, writer, job)
    except Exception as error:  # the edge of the job
        number = secrets.token_hex(3)
        log.error("job error %s: %s", number, type(error).__name__)
        writer.enter("failed", trouble="unexpected", message=number)
    return writer.now


def _run(job: Job, choice: Choice, desk: Desk, writer: ProgressWriter) -> None:
    report = classify_table(
        job.upload,
        job.result,
        desk,
        columns=choice.columns,
        sheet=choice.sheet,
        progress=False,
        on_done=writer.advance,
        shard_rows=SHARD_ROWS,
    )
    writer.enter("closing")
    tasks, identity = all_tasks(desk.bundle.heads), desk.bundle.identity
    summary, longest = sum_up(job, tasks)
    Outcome(
        tasks,
        summary,
        report.seconds,
        report.reused_rows,
        report.notices,
        f"{identity.bundle} {identity.version}",
        longest,
    ).write(job)
    writer.enter("done")


def _tell_why(error: BaseException, writer: ProgressWriter, job: Job) -> None:
    if isinstance(error, KeyboardInterrupt):
        writer.enter("stopped")
    else:
        message = in_words_of_the_page(error, job.folder, job.name)  # type: ignore[arg-type]
        writer.enter("failed", trouble=type(error).__name__, message=message)


def export(job: Job, choice: Choice, suffix: str, *, masked: bool = False) -> None:
    """Write the classified table as another kind of file, as `triage classify` would have written it.

    With `masked`, identifiers in it are masked.

    Raises:
        TableError: the kind of file can't hold it, or there is no room.
    """
    outcome, table = Outcome.read(job), open_table(job.upload, choice.sheet)
    added, names = added_columns(outcome.tasks), outcome.names(table.columns)
    target, beside = job.export(suffix, masked=masked), job.folder / f".export{os.getpid()}{suffix}"
    schema = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in added.items()])
    answers = pq.read_table(job.result, columns=list(names.values())).select(list(names.values()))
    try:
        writer = _writer(beside, table, added, names, choice.columns.text if masked else None)
        for batch in table.batches(EXPORT_ROWS):
            part = answers.slice(batch.start, batch.rows)
            cells = [column.combine_chunks() for column in part.columns]
            writer.write(batch, pa.RecordBatch.from_arrays(cells, schema=schema))
        writer.close()
        move_durably(beside, target)
    except OSError:
        raise TableError("The file can't be made: the disk is full. The classified table is kept.") from None
    finally:
        beside.unlink(missing_ok=True)


def _writer(
    path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str], masked: str | None
) -> TableWriter:
    """The writer for a download, which is one file."""
    if path.suffix == ".xlsx":
        check_fits_excel(table)
    return open_writer(path, table, added, names, signature=True, masked=masked)


def _end_on_signal() -> None:
    """Let SIGTERM end the run like Ctrl+C does, once."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def main() -> int:
    """Classify or export, as the arguments say."""
    job = Job.read(Path(sys.argv[1]))
    if job.choice is None:
        return 2
    if len(sys.argv) > 2:
        try:
            export(job, job.choice, sys.argv[2], masked=sys.argv[3:] == [MASKED])
        except TriageError as error:
            print(in_words_of_the_page(error, job.folder, job.name))  # noqa: T201 - read by who started this
            return 1
        return 0
    os.nice(10)  # who pastes a note comes first
    share = Share(job.folder.parents[1])
    share.open()
    _note(Act.RUN_STARTED, job, {"kept": rows_kept(job)})
    _end_on_signal()
    end = classify(job, job.choice)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has ended; what is left to do takes no time
    _note(Act.RUN_FINISHED, job, {"done": end.done, "end": end.phase, "trouble": end.trouble})
    share.close()
    return 0 if end.phase == "done" else 1


def _note(kind: Act, job: Job, facts: Mapping[str, Any]) -> None:
    """Write a row of the audit log; a run goes on without where it can't be written, and its own log says so."""
    try:
        with closing(open_records(load_settings())) as records:
            records.note(kind, job.owner, {"job": job.id, "rows": job.look.rows, **facts})
    except TriageError as error:
        log.error("not in the audit log: %s of job %s: %s", kind.value, job.id, type(error).__name__)


if __name__ == "__main__":
    sys.exit(main())
