"""Classified tables as Excel sheets."""

import datetime
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from core.bulk.answers import Kind
from core.bulk.batch import Batch, Table, plain_text
from core.errors import TableError

EXCEL_ROWS = 1_048_575
EXCEL_CHARACTERS = 32_767
EXCEL_EXACT = 10**15


def check_fits_excel(table: Table) -> None:
    """Refuse a table that no Excel sheet can hold.

    Raises:
        TableError: too many rows, or too long a cell.
    """
    if (table.rows or 0) > EXCEL_ROWS:
        raise TableError(
            f"{table.rows:,} rows are more than an Excel sheet holds ({EXCEL_ROWS:,}). Nothing was done; "
            "choose .csv or .parquet as the target."
        )
    longest = table.longest_cell or 0
    if longest > EXCEL_CHARACTERS:
        raise TableError(_too_long(longest))


def _too_long(characters: int) -> str:
    return (
        f"A cell of {characters:,} characters does not fit into Excel ({EXCEL_CHARACTERS:,}). The input is untouched; "
        "choose .csv or .parquet as the target."
    )


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
        self._columns = table.columns
        header = (*table.columns, *names.values())
        bold = self._book.add_format({"bold": True})
        for place, name in enumerate(header):
            self._sheet.write_string(0, place, name[:EXCEL_CHARACTERS], bold)
        self._sheet.freeze_panes(1, 0)
        self._width, self._row = len(header), 1

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        columns = [batch.columns[name] for name in self._columns] + [column.to_pylist() for column in added.columns]
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
