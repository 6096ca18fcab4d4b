"""Look into a classified table: rows that meet a filter, a page's worth of them, read from the disk each time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.bulk.jobs import Job
from core.bulk.outcome import Outcome

SHOWN_ROWS = 1000
ROW = "row"  # name of the column with row numbers; the table's own columns keep theirs


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows are wanted; empty means any.

    Attributes:
        levels: acuity levels.
        departments: decided departments.
        review: only rows that a person must decide.
        errors: only rows without an answer.
    """

    levels: tuple[int, ...] = ()
    departments: tuple[str, ...] = ()
    review: bool = False
    errors: bool = False


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows that meet a filter.

    Attributes:
        total: how many there are.
        numbers: row numbers of the first of them, as in the sheet that was uploaded.
        answers: their added cells, under their own names.
        given: their cells in the table's own columns that were asked for.
    """

    total: int
    numbers: NDArray[np.int64]
    answers: pd.DataFrame
    given: pd.DataFrame


class ClassifiedTable:
    """A classified table on disk.

    Attributes:
        path: the parquet file.
        given: the table's own columns.
        names: what each added column is called in the file.
        first_row: row of the sheet in which the first row of data stands.
    """

    def __init__(self, path: Path, given: Sequence[str], names: dict[str, str], first_row: int) -> None:
        self.path, self.given, self.names, self.first_row = path, tuple(given), names, first_row

    @classmethod
    def of(cls, job: Job, outcome: Outcome) -> "ClassifiedTable":
        """The result of a finished job."""
        look = job.look
        return cls(job.result, look.columns, outcome.names(look.columns), look.header_row + 1)

    def find(self, wanted: RowFilter, *, given: Sequence[str] = (), limit: int = SHOWN_ROWS) -> FoundRows:
        """The rows that meet a filter, in the table's order.

        Args:
            wanted: which.
            given: which of the table's own columns come with them.
            limit: how many at most; `total` counts them all.
        """
        places = np.flatnonzero(self._mask(wanted))
        chosen = places[:limit]
        own = list(self.names.values())
        rows = pa.Table.from_batches(list(self._take(chosen, [*given, *own])), self._schema([*given, *own]))
        answers = rows.select(own).rename_columns(list(self.names)).to_pandas()
        return FoundRows(len(places), chosen + self.first_row, answers, rows.select(list(given)).to_pandas())

    def column(self, name: str) -> list[Any]:
        """One of the table's own columns, whole."""
        return self._read([name])

    def answer(self, name: str) -> list[Any]:
        """One of the added columns, whole, by its own name."""
        return self._read([self.names[name]])

    def _read(self, names: list[str]) -> list[Any]:
        cells: list[Any] = pq.read_table(self.path, columns=names).column(0).to_pylist()
        return cells

    def _mask(self, wanted: RowFilter) -> NDArray[np.bool_]:
        own = [self.names[name] for name in ("acuity", "department", "needs_review", "status")]
        table = pq.read_table(self.path, columns=own).select(own)
        levels, departments, review, status = table.columns
        keep = np.ones(table.num_rows, np.bool_)
        if wanted.levels:
            keep &= _true(pc.is_in(levels, value_set=pa.array(wanted.levels, pa.int64())))
        if wanted.departments:
            keep &= _true(pc.is_in(departments, value_set=pa.array(wanted.departments, pa.string())))
        if wanted.review:
            keep &= _true(review)
        if wanted.errors:
            keep &= _true(pc.equal(status, "error"))
        return keep

    def _take(self, places: NDArray[np.int64], names: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows at these rising places; nothing after the last of them is read."""
        start = 0
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=4096, columns=names):
                if not len(places) or start > places[-1]:
                    return
                here = places[(places >= start) & (places < start + batch.num_rows)] - start
                if len(here):
                    yield batch.select(names).take(pa.array(here))
                start += batch.num_rows

    def _schema(self, names: list[str]) -> pa.Schema:
        schema = pq.read_schema(self.path)
        return pa.schema([schema.field(name) for name in names])


def _true(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """A column of truth values; a missing one is false."""
    return np.asarray(pc.fill_null(column, False).to_numpy(), dtype=np.bool_)
