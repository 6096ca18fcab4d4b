"""Classified tables as Excel workbooks: the rows and their counts; several where one can't hold all."""

import datetime
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from core.bulk.answers import Kind
from core.bulk.batch import Batch, Table, plain_text
from core.bulk.excel_summary import write_summary
from core.bulk.export import numbered
from core.bulk.summary import Summary, Tally
from core.errors import TableError

EXCEL_ROWS = 1_048_575
EXCEL_CHARACTERS = 32_767
EXCEL_EXACT = 10**15
NARROWEST, WIDEST = 9, 60  # columns, in digits of the standard font
WIDTH_ROWS = 100


def check_fits_excel(table: Table) -> None:
    """Refuse a table that does not fit into one Excel sheet.

    Raises:
        TableError: too many rows, or too long a cell.
    """
    if (table.rows or 0) > EXCEL_ROWS:
        raise TableError(
            f"{table.rows:,} rows are more than an Excel sheet holds ({EXCEL_ROWS:,}). Nothing was done; "
            "choose .csv or .parquet as the target."
        )
    check_cells_fit_excel(table)


def check_cells_fit_excel(table: Table) -> None:
    """Refuse a table with a cell that no Excel sheet can hold.

    Raises:
        TableError: too long a cell.
    """
    longest = table.longest_cell or 0
    if longest > EXCEL_CHARACTERS:
        raise TableError(_too_long(longest))


def _too_long(characters: int) -> str:
    return (
        f"A cell of {characters:,} characters does not fit into Excel ({EXCEL_CHARACTERS:,}). The input is untouched; "
        "choose .csv or .parquet as the target."
    )


class ExcelWriter:
    """As many workbooks as the rows need: `name.xlsx`, `name-2.xlsx`, …; each sums up all rows of all of them."""

    def __init__(self, path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> None:
        self._path, self._table, self._added, self._names = path, table, added, names
        self._books: list[ExcelBook] = []
        self._tally, self._left = Tally(), 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Every workbook."""
        return tuple(numbered(self._path, number) for number in range(1, max(1, len(self._books)) + 1))

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch."""
        self._tally.add(pa.RecordBatch.from_arrays(added.columns, names=list(self._added)))
        columns = [batch.columns[name] for name in self._table.columns] + [each.to_pylist() for each in added.columns]
        start = 0
        while start < batch.rows:
            if not self._left:
                path = numbered(self._path, len(self._books) + 1)
                self._books.append(ExcelBook(path, self._table, self._added, self._names))
                self._left = EXCEL_ROWS
            end = min(batch.rows, start + self._left)
            self._books[-1].write([column[start:end] for column in columns])
            self._left -= end - start
            start = end

    def close(self) -> None:
        """Finish the files."""
        summary = self._tally.summary()
        for book in self._books:
            book.close(summary)

    def discard(self) -> None:
        """Nothing is open between rows but temporary files, which go with their objects."""


class ExcelBook:
    """An Excel sheet with a frozen header, a filter and fitting columns, and a second sheet with the counts.

    Rows are written one by one in constant memory. Text is written as text, so that no cell becomes a formula, a link
    or a number.
    """

    def __init__(self, path: Path, table: Table, added: Mapping[str, Kind], names: Mapping[str, str]) -> None:
        from xlsxwriter import Workbook

        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
        self._book = Workbook(str(path), options)
        self._sheet = self._book.add_worksheet("triage")
        self._dates = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._times = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._spans = self._book.add_format({"num_format": "[h]:mm:ss"})
        self._percent = self._book.add_format({"num_format": "0%"})
        header = (*table.columns, *names.values())
        bold = self._book.add_format({"bold": True, "bg_color": "#DDE7EC", "bottom": 1})
        for place, name in enumerate(header):
            self._sheet.write_string(0, place, name[:EXCEL_CHARACTERS], bold)
        self._sheet.freeze_panes(1, 0)
        self._header, self._row = header, 1
        self._shares = {place for place, name in enumerate(added, len(table.columns)) if name.endswith("_probability")}

    def write(self, columns: Sequence[Sequence[object]]) -> None:
        """Append rows, given as all their columns."""
        if self._row == 1:
            self._fit_columns(columns)
        for row in zip(*columns, strict=True):
            for place, cell in enumerate(row):
                if cell is not None and cell != "":
                    self._write_cell(place, cell)
            self._row += 1

    def _fit_columns(self, columns: Sequence[Sequence[object]]) -> None:
        """Each column as wide as its name and first cells need, within bounds."""
        for place, (name, cells) in enumerate(zip(self._header, columns, strict=True)):
            widths = [_width(name) + 3, *(_width(str(cell)) + 1 for cell in cells[:WIDTH_ROWS] if cell is not None)]
            self._sheet.set_column(
                place, place, min(max(NARROWEST, *widths), WIDEST), self._percent if place in self._shares else None
            )

    def _write_cell(self, place: int, cell: object) -> None:
        sheet, row = self._sheet, self._row
        if isinstance(cell, bool):
            sheet.write_boolean(row, place, cell)
        elif isinstance(cell, int | float) and abs(cell) < EXCEL_EXACT:
            sheet.write_number(row, place, cell, self._percent if place in self._shares else None)
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

    def close(self, summary: Summary) -> None:
        """Finish the file."""
        self._sheet.autofilter(0, 0, max(self._row - 1, 1), len(self._header) - 1)
        write_summary(self._book, summary)
        self._book.close()


def _width(text: str) -> int:
    """Digits that the first line takes; a Chinese character takes two."""
    line = text.split("\n", 1)[0][:WIDEST]
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
