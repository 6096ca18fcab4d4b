"""`triage classify`: every row of a table gets its assessment, in order; an interruption loses no finished shard."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from core.bulk.assess_pool import Desk
from core.bulk.batch import BATCH_ROWS
from core.bulk.columns import Columns, find_columns
from core.bulk.export import check_target
from core.bulk.first_rows import first_rows
from core.bulk.run import Run
from core.bulk.tables import open_table
from core.settings import Settings

SHARD_BYTES = 1 << 20  # of the source: what a shard of a large table holds
FEWEST_SHARD_ROWS, MOST_SHARD_ROWS = 10_000, 100_000  # of a large table
MOST_SHARD_BYTES = 16 << 20  # a few shards are in memory at once: of long rows they hold fewer
FEWEST_SHARDS = 10  # of a small one, down to shards of a batch
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did.

    Attributes:
        rows: rows of the input, and of the output.
        classified: rows with an assessment.
        errors: rows with `status=error`.
        reused_rows: rows whose answers were taken from an earlier, interrupted run.
        seconds: how long it took.
        notices: what the user should know about columns, cells and files, a sentence each.
    """

    rows: int
    classified: int
    errors: int
    reused_rows: int
    seconds: float
    notices: tuple[str, ...] = ()


def classify_table(
    source: Path,
    target: Path,
    desk: Desk,
    *,
    text_column: str | None = None,
    columns: Columns | None = None,
    sheet: str | None = None,
    first: int | None = None,
    progress: bool | None = None,
    on_done: Callable[[int], None] = lambda _: None,
    shard_rows: int | None = None,
    patience: float = PATIENCE,
    signature: bool = False,
    masked: bool = False,
    cluster: Settings | None = None,
) -> RunReport:
    """Classify every row of `source` into `target`; rows in = rows out, in order.

    Args:
        source: a csv, Excel or parquet table.
        target: the table to write; it appears, whole, at the end.
        desk: who assesses the notes.
        text_column: the column with the notes; none: found by name or content.
        columns: where notes, ages and sexes stand, when all of it is chosen; `text_column` is not looked at then.
        sheet: which sheet of a workbook; none: its first with cells.
        first: only so many rows, for a dry run (at most a shard); none: all.
        progress: show a progress bar on stderr; none: if stderr is a terminal.
        on_done: told how many more rows are done, those of an earlier run included; from several threads,
            once more after a stop if a call was under way.
        shard_rows: rows whose answers are kept together; none: by size. An interruption loses at most a few shards.
        patience: seconds to wait for an endpoint that fails as a whole.
        signature: begin a csv with a byte order mark, by which Excel knows its encoding.
        masked: mask identifiers in what is written.
        cluster: what the workers of a Ray cluster open their desks with; none: this process does the work.

    Raises:
        TableError: a table can't be read or written, or the parts folder belongs to another run.
        RunStopped: interrupted, or the endpoint failed for longer than `patience`; finished shards are kept.
    """
    source, target = Path(source), Path(target)
    started = time.monotonic()
    table = open_table(source, sheet)
    if first is not None:
        table = first_rows(table, first)
    check_target(target, table, source)
    columns = columns or find_columns(table, text_column)
    shard_rows = shard_rows or rows_of_a_shard(source.stat().st_size, table.rows)
    run = Run(source, target, desk, table, columns, shard_rows, sheet, on_done, signature, masked, cluster)
    show = sys.stderr.isatty() if progress is None else progress
    with tqdm(total=table.rows, unit="row", disable=not show, file=sys.stderr, smoothing=0.05) as bar:
        report = run.do(bar, patience)
    return RunReport(**report, seconds=time.monotonic() - started, notices=table.notices + run.notices)


def rows_of_a_shard(size: int, rows: int | None) -> int:
    """How many rows of a table of so many bytes and rows make a shard; the same for the same table, always."""
    if not rows:
        return BATCH_ROWS
    of_a_large_table = min(max(SHARD_BYTES * rows // max(size, 1), FEWEST_SHARD_ROWS), MOST_SHARD_ROWS)
    return max(BATCH_ROWS, min(of_a_large_table, MOST_SHARD_BYTES * rows // max(size, 1), rows // FEWEST_SHARDS))
