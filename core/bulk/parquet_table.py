"""Parquet files: read group by group, the file's own types kept beside the Python values."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.bulk.batch import BATCH_ROWS, Batch, Part, unique_names
from core.errors import TableError


class ArrowColumns(Mapping[str, Sequence[object]]):
    """The columns of an Arrow batch as Python lists, each made when it is asked for: most never are."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __getitem__(self, name: str) -> Sequence[object]:
        """The cells of one column."""
        cells: list[object] = self._batch.column(name).to_pylist()
        return cells

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self._batch.schema.names)

    def __len__(self) -> int:
        """How many columns there are."""
        return int(self._batch.num_columns)


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A checked parquet file; `open_parquet` makes it."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    notices: tuple[str, ...]
    encoding: str | None = None
    longest_cell: int | None = None

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """All rows in order, `size` at a time."""
        start, schema = 0, self.schema()
        try:
            with _opened(self.path) as file:
                for found in file.iter_batches(batch_size=size, use_threads=False):
                    batch = pa.RecordBatch.from_arrays(found.columns, schema=schema)
                    yield Batch(start, batch.num_rows, ArrowColumns(batch), arrow=batch)
                    start += batch.num_rows
        except (pa.ArrowException, OSError):
            raise TableError(
                f"{self.path.name} is damaged after row {start:,}. Finished rows are kept; use an undamaged copy."
            ) from None

    def parts(self, rows: int) -> list[Part]:
        """All rows as parts of at most so many: whole row groups together, a larger one in pieces."""
        with _opened(self.path) as file:
            groups = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
        found, start, held = [], 0, 0
        for count in groups:
            if held and held + count > rows:
                found.append(Part(start, held))
                start, held = start + held, 0
            held += count
            while held > rows:
                found.append(Part(start, rows))
                start, held = start + rows, held - rows
        return [*found, Part(start, held)] if held else found

    def read(self, part: Part) -> Batch:
        """The rows of a part."""
        try:
            with _opened(self.path) as file:
                ends = list(accumulate(file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)))
                first, last = bisect_right(ends, part.start), bisect_left(ends, part.start + part.rows)
                groups = list(range(first, last + 1))
                skip = part.start - (ends[first - 1] if first else 0)
                found = _slice(file.iter_batches(BATCH_ROWS, row_groups=groups, use_threads=False), skip, part.rows)
        except (pa.ArrowException, OSError):
            raise TableError(f"{self.path.name} is damaged after row {part.start:,}. Use an undamaged copy.") from None
        batch = pa.RecordBatch.from_arrays(found.columns, schema=self.schema())
        return Batch(part.start, batch.num_rows, ArrowColumns(batch), arrow=batch)

    def schema(self) -> pa.Schema:
        """The file's own types under the unique names."""
        with _opened(self.path) as file:
            found = file.schema_arrow
        fields = [kind.with_name(name) for kind, name in zip(found, self.columns, strict=True)]
        return pa.schema(fields, metadata=found.metadata)


def _opened(path: Path) -> pq.ParquetFile:
    """The file; one in a bucket is read in the pieces that are asked for."""
    return pq.ParquetFile(path if isinstance(path, Path) else path.open("rb"), pre_buffer=False)


def _slice(batches: Iterator[pa.RecordBatch], skip: int, rows: int) -> pa.RecordBatch:
    """The `rows` rows after the first `skip`; what comes after them is not read."""
    taken: list[pa.RecordBatch] = []
    while rows:
        batch = next(batches)
        piece = batch.slice(min(skip, batch.num_rows), rows)
        skip = max(0, skip - batch.num_rows)
        rows -= piece.num_rows
        taken.append(piece)
    return pa.concat_batches(taken)


def open_parquet(path: Path) -> ParquetTable:
    """Open a parquet file.

    Raises:
        TableError: not parquet, or no rows.
    """
    try:
        with _opened(path) as file:
            rows, header = file.metadata.num_rows, file.schema_arrow.names
    except (pa.ArrowException, OSError):
        raise TableError(
            f"{path.name} can't be read as parquet (damaged or another kind of file). Nothing was read; "
            "choose an undamaged copy."
        ) from None
    if not rows:
        raise TableError(f"{path.name} has column names but no rows. Nothing was read; choose a table with rows.")
    columns, notices = unique_names(header)
    return ParquetTable(path, columns, rows, notices)
