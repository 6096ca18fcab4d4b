"""Classified tables as parquet, with the input's types."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.bulk.answers import ARROW_TYPES, Kind
from core.bulk.batch import Batch, Table, plain_text

ROW_GROUP = 1 << 16


class ParquetWriter:
    """Parquet with the input's types kept, and what the run was in its metadata."""

    def __init__(
        self,
        path: Path,
        table: Table,
        added: Mapping[str, Kind],
        names: Mapping[str, str],
        facts: Mapping[str, str],
        sink: pa.NativeFile | None = None,
    ) -> None:
        given = table.schema()
        self._given = given
        fields = [pa.field(names[name], ARROW_TYPES[kind]) for name, kind in added.items()]
        told = {f"triage.{name}".encode(): value.encode("utf-8", "replace") for name, value in facts.items()}
        self._path, self._schema = path, pa.schema([*given, *fields], metadata={**(given.metadata or {}), **told})
        self._writer = pq.ParquetWriter(sink or path, self._schema, compression="zstd")
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._path,)

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch; row groups are made of many."""
        given = batch.arrow.columns if batch.arrow is not None else self._typed(batch)
        self._held.append(pa.RecordBatch.from_arrays([*given, *added.columns], schema=self._schema))
        self._held_rows += batch.rows
        if self._held_rows >= ROW_GROUP:
            self._flush()

    def _typed(self, batch: Batch) -> list[pa.Array]:
        return [
            pa.array(_as_text(batch.columns[field.name]), field.type)
            if pa.types.is_string(field.type)
            else pa.array([None if cell == "" else cell for cell in batch.columns[field.name]], field.type)
            for field in self._given
        ]

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._held, self._schema))
        self._held.clear()
        self._held_rows = 0

    def close(self) -> None:
        """Finish the file."""
        if self._held:
            self._flush()
        self._writer.close()

    def discard(self) -> None:
        """Let go of the file; what its buffer holds need not fit on the disk."""
        with suppress(OSError):
            self._writer.close()


def _as_text(cells: Sequence[object]) -> list[str | None]:
    return [cell if cell is None or type(cell) is str else plain_text(cell) for cell in cells]
