"""Write the classified table: csv, Excel or parquet, as the target's suffix says."""

import csv
import datetime
import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.bulk.answers import Cells, Kind
from core.bulk.batch import Batch, Table
from core.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

TARGET_SUFFIXES = (".csv", ".xlsx", ".parquet")
EXCEL_ROWS = 1_048_575
EXCEL_CHARACTERS = 32_767
EXCEL_EXACT = 10**15
ROW_GROUP = 1 << 16
# What spreadsheet programs take as the start of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = frozenset("=+-@\t\r")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?\s?%?")


class TableWriter(Protocol):
    """Writes a table's batches with the added cells beside them."""

    def write(self, batch: Batch, added: Cells) -> None:
        """Append the rows of one batch."""

    def close(self) -> None:
        """Finish the file."""

    def discard(self) -> None:
        """Let go of a file that will not be finished."""


def check_target(target: Path, table: Table, source: Path) -> None:
    """Refuse a target that can be known to fail, before any work is done.

    Raises:
        TableError: unknown suffix, a folder, missing parent, not writable, the source itself, too much for Excel.
    """
    suffix = target.suffix.lower()
    if suffix not in TARGET_SUFFIXES:
        raise TableError(
            f"{target.name}: {suffix or 'a name without suffix'} is no kind of table that can be written. "
            f"Nothing was done; use one of {', '.join(TARGET_SUFFIXES)}."
        )
    if target.is_dir():
        raise TableError(f"{target.name} is a folder. Nothing was done; name a file as the target.")
    if not target.parent.is_dir():
        raise TableError(f"The folder {target.parent} does not exist. Nothing was done; make it or choose another.")
    if target.exists() and target.samefile(source):
        raise TableError(f"{target.name} is the input itself. Nothing was done; choose another target.")
    if not _is_writable(target.parent) or (target.exists() and not _is_writable(target)):
        raise TableError(f"{target} is read-only. Nothing was done; choose another target.")
    if suffix == ".xlsx":
        _check_fits_excel(table)


def _is_writable(path: Path) -> bool:
    """Whether it may be written to and was not marked read-only, which an administrator's rights would override."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _check_fits_excel(table: Table) -> None:
    if (table.rows or 0) > EXCEL_ROWS:
        raise TableError(
            f"{table.rows:,} rows are more than an Excel sheet holds ({EXCEL_ROWS:,}). Nothing was done; "
            "choose .csv or .parquet as the target."
        )
    if (table.longest_cell or 0) > EXCEL_CHARACTERS:
        raise TableError(_too_long(table.longest_cell or 0))


def _too_long(characters: int) -> str:
    return (
        f"A cell of {characters:,} characters does not fit into Excel ({EXCEL_CHARACTERS:,}). The input is untouched; "
        "choose .csv or .parquet as the target."
    )


def open_writer(path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> TableWriter:
    """A writer for `path`, whose suffix says the kind.

    Args:
        path: the file to write; it is replaced.
        table: the table whose columns come first.
        added: the added columns and their kinds.
        names: what each added column is called in the file.
    """
    writers: dict[str, Callable[..., TableWriter]] = {
        ".csv": CsvWriter,
        ".xlsx": ExcelWriter,
        ".parquet": ParquetWriter,
    }
    return writers[path.suffix.lower()](path, table, added, names)


def harmless(cell: str) -> str:
    """The text with an apostrophe before it if a spreadsheet program would run it; plain numbers stay."""
    return cell if cell[:1] not in FORMULA_STARTS or PLAIN_NUMBER.fullmatch(cell) else "'" + cell


def csv_cell(cell: object) -> object:
    """One cell as csv shows it: no formula, true and false, ISO dates, an empty cell for what is missing."""
    if type(cell) is str:
        return harmless(cell)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return cell
    return harmless(plain_text(cell))


def plain_text(cell: object) -> str:
    """A date, a list or anything else as text."""
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    if isinstance(cell, bytes):
        return cell.hex()
    return str(cell)


class CsvWriter:
    """UTF-8 csv with formula-safe text cells."""

    def __init__(self, path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._columns, self._added = table.columns, tuple(added)
        self._writer.writerow([harmless(name) for name in (*table.columns, *names.values())])

    def write(self, batch: Batch, added: Cells) -> None:
        """Append the rows of one batch."""
        columns = [batch.columns[name] for name in self._columns] + [added[name] for name in self._added]
        starts = FORMULA_STARTS
        safe = [
            [cell if type(cell) is str and cell[:1] not in starts else csv_cell(cell) for cell in column]
            for column in columns
        ]
        self._writer.writerows(zip(*safe, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def discard(self) -> None:
        """Let go of the file; what its buffer holds need not fit on the disk."""
        with suppress(OSError):
            self._file.close()


class ExcelWriter:
    """An Excel sheet with a frozen header and a filter, written row by row in constant memory.

    Text is written as text, so that no cell becomes a formula, a link or a number.
    """

    def __init__(self, path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> None:
        from xlsxwriter import Workbook

        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
        self._book = Workbook(str(path), options)
        self._sheet = self._book.add_worksheet("triage")
        self._dates = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._times = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._spans = self._book.add_format({"num_format": "[h]:mm:ss"})
        self._columns, self._added = table.columns, tuple(added)
        header = (*table.columns, *names.values())
        bold = self._book.add_format({"bold": True})
        for place, name in enumerate(header):
            self._sheet.write_string(0, place, name[:EXCEL_CHARACTERS], bold)
        self._sheet.freeze_panes(1, 0)
        self._width, self._row = len(header), 1

    def write(self, batch: Batch, added: Cells) -> None:
        """Append the rows of one batch."""
        columns = [batch.columns[name] for name in self._columns] + [added[name] for name in self._added]
        for row in zip(*columns, strict=True):
            for place, cell in enumerate(row):
                if cell is not None and cell != "":
                    self._write_cell(place, cell)
            self._row += 1

    def _write_cell(self, place: int, cell: object) -> None:
        sheet, row = self._sheet, self._row
        if isinstance(cell, bool):
            sheet.write_boolean(row, place, cell)
        elif isinstance(cell, int | float) and abs(cell) < EXCEL_EXACT:
            sheet.write_number(row, place, cell)
        elif isinstance(cell, datetime.datetime) and cell.tzinfo is None and cell.year >= 1900:
            sheet.write_datetime(row, place, cell, self._times)
        elif type(cell) is datetime.date and cell.year >= 1900:
            sheet.write_datetime(row, place, cell, self._dates)
        elif isinstance(cell, datetime.time | datetime.timedelta):
            sheet.write_datetime(row, place, cell, self._spans)
        else:
            text = cell if isinstance(cell, str) else plain_text(cell)
            if len(text) > EXCEL_CHARACTERS:
                raise TableError(_too_long(len(text)))
            sheet.write_string(row, place, text)

    def close(self) -> None:
        """Finish the file."""
        self._sheet.autofilter(0, 0, max(self._row - 1, 1), self._width - 1)
        self._book.close()

    def discard(self) -> None:
        """Nothing is open between rows but a temporary file, which goes with its object."""


class ParquetWriter:
    """Parquet with the input's types kept."""

    def __init__(self, path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from core.bulk.shards import ARROW_TYPES

        given = table.schema()
        self._given, self._added = given, tuple(added)
        fields = [pa.field(names[name], ARROW_TYPES[kind]) for name, kind in added.items()]
        self._schema = pa.schema([*given, *fields], metadata=given.metadata)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    def write(self, batch: Batch, added: Cells) -> None:
        """Append the rows of one batch; row groups are made of many."""
        import pyarrow as pa

        given = batch.arrow.columns if batch.arrow is not None else self._typed(batch)
        kinds = self._schema.types[len(self._given) :]
        more = [pa.array(added[name], kind) for name, kind in zip(self._added, kinds, strict=True)]
        self._held.append(pa.RecordBatch.from_arrays([*given, *more], schema=self._schema))
        self._held_rows += batch.rows
        if self._held_rows >= ROW_GROUP:
            self._flush()

    def _typed(self, batch: Batch) -> "list[pa.Array]":
        import pyarrow as pa

        return [
            pa.array(_as_text(batch.columns[field.name]), field.type)
            if pa.types.is_string(field.type)
            else pa.array([None if cell == "" else cell for cell in batch.columns[field.name]], field.type)
            for field in self._given
        ]

    def _flush(self) -> None:
        import pyarrow as pa

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
