"""What a finished run of a job leaves beside its table: counts, summary, and what each added column is called there."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.bulk.answers import added_columns, names_beside
from core.bulk.durable import write_durably
from core.bulk.excel_writer import EXCEL_CHARACTERS, EXCEL_ROWS
from core.bulk.jobs import Job
from core.bulk.summary import Summary, Tally
from core.errors import TableError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run.

    Attributes:
        tasks: the tasks that were answered, in the order of their columns.
        summary: counts over all rows.
        seconds: how long the last run took.
        reused_rows: rows that an earlier run had finished.
        notices: what the user should know about columns and cells, a sentence each.
        model: bundle and version.
        longest_cell: characters of the table's longest text cell.
    """

    tasks: tuple[str, ...]
    summary: Summary
    seconds: float
    reused_rows: int
    notices: tuple[str, ...]
    model: str
    longest_cell: int = 0

    @property
    def fits_excel(self) -> bool:
        """Whether a sheet can hold the table."""
        return self.summary.rows <= EXCEL_ROWS and self.longest_cell <= EXCEL_CHARACTERS

    def names(self, given: tuple[str, ...]) -> dict[str, str]:
        """What each added column is called beside the table's own columns `given`."""
        return names_beside(added_columns(self.tasks), given)

    def write(self, job: Job) -> None:
        """Keep it with the job."""
        facts = asdict(self) | {"summary": self.summary.as_dict()}
        write_durably(job.folder / "outcome.json", json.dumps(facts, ensure_ascii=False).encode())

    @classmethod
    def read(cls, job: Job) -> Self:
        """The outcome of a finished job.

        Raises:
            TableError: there is none.
        """
        try:
            facts: Mapping[str, Any] = json.loads((job.folder / "outcome.json").read_bytes())
        except (OSError, ValueError):
            raise TableError("The counts of this table are missing. Delete it and classify it again.") from None
        tuples = {name: tuple(facts[name]) for name in ("tasks", "notices")}
        return cls(**{**facts, **tuples, "summary": Summary.from_dict(facts["summary"])})


def sum_up(job: Job, tasks: tuple[str, ...]) -> tuple[Summary, int]:
    """Counts over a job's result, and characters of its longest text cell."""
    names = names_beside(added_columns(tasks), job.look.columns)
    tally, longest = Tally(), 0
    with pq.ParquetFile(job.result) as file:
        for batch in file.iter_batches(batch_size=4096):
            tally.add(batch.select(list(names.values())).rename_columns(list(names)))
            longest = max(longest, *map(_longest, batch.columns))
    return tally.summary(), longest


def _longest(column: pa.Array) -> int:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return 0
    return int(pc.max(pc.utf8_length(column)).as_py() or 0)
