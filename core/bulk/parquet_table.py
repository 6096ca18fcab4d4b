"""Parquet files: read group by group, the file's own types kept beside the Python values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.bulk.batch import BATCH_ROWS, Batch, unique_names
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
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                for found in file.iter_batches(batch_size=size, use_threads=False):
                    batch = pa.RecordBatch.from_arrays(found.columns, schema=schema)
                    yield Batch(start, batch.num_rows, ArrowColumns(batch), arrow=batch)
                    start += batch.num_rows
        except (pa.ArrowException, OSError):
            raise TableError(
                f"{self.path.name} is damaged after row {start:,}. Finished rows are kept; use an undamaged copy."
            ) from None

    def schema(self) -> pa.Schema:
        """The file's own types under the unique names."""
        found = pq.read_schema(self.path)
        fields = [kind.with_name(name) for kind, name in zip(found, self.columns, strict=True)]
        return pa.schema(fields, metadata=found.metadata)


def open_parquet(path: Path) -> ParquetTable:
    """Open a parquet file.

    Raises:
        TableError: not parquet, or no rows.
    """
    try:
        with pq.ParquetFile(path) as file:
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
