"""Classified tables as csv that no spreadsheet program takes for formulas."""

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import CSVWriter, WriteOptions

from core.bulk.answers import ARROW_TYPES, Kind
from core.bulk.batch import Batch, Table, plain_text

# What spreadsheet programs take as the start of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = frozenset("=+-@\t\r")
FORMULA_PATTERN = r"^[=+\-@\t\r]"
PLAIN_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?\s?%?")


def harmless(cell: str) -> str:
    """The text with an apostrophe before it if a spreadsheet program would run it; plain numbers stay."""
    return cell if cell[:1] not in FORMULA_STARTS or PLAIN_NUMBER.fullmatch(cell) else "'" + cell


def csv_text(cell: object) -> str:
    """One cell of a table as csv shows it: true and false, ISO dates, nothing for what is missing."""
    if type(cell) is str:
        return cell
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell) if isinstance(cell, int | float) else plain_text(cell)


class CsvWriter:
    """UTF-8 csv with formula-safe text cells. Arrow writes it without holding up other threads, as `csv` would.

    With a `signature` (a byte order mark) Excel opens it as the UTF-8 that it is.
    """

    def __init__(
        self,
        path: Path,
        table: Table,
        added: Mapping[str, Kind],
        names: Mapping[str, str],
        *,
        signature: bool = False,
        sink: pa.NativeFile | None = None,
    ) -> None:
        given = [pa.field(harmless(name), pa.string()) for name in table.columns]
        more = [pa.field(harmless(names[name]), ARROW_TYPES[kind]) for name, kind in added.items()]
        self._path = path
        self._columns, self._schema = table.columns, pa.schema([*given, *more])
        self._file = sink or pa.OSFile(str(path), "wb")
        if signature:
            self._file.write(codecs.BOM_UTF8)
        self._writer = CSVWriter(self._file, self._schema, write_options=WriteOptions(eol="\r\n"))

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._path,)

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        given = [_texts(batch.columns[name]) for name in self._columns]
        columns = [_safe(column) if pa.types.is_string(column.type) else column for column in (*given, *added.columns)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
        self._file.close()

    def discard(self) -> None:
        """Let go of the file; what its buffer holds need not fit on the disk."""
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._file.close()


def _texts(cells: Sequence[object]) -> pa.Array:
    try:
        return pa.array(cells, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # not all of them are text
        return pa.array([csv_text(cell) for cell in cells], pa.string())


def _safe(column: pa.Array) -> pa.Array:
    """The column without formulas."""
    suspects = pc.match_substring_regex(column, FORMULA_PATTERN)
    if not pc.any(suspects).as_py():
        return column
    return pa.array([cell if cell is None else harmless(cell) for cell in column.to_pylist()], pa.string())
