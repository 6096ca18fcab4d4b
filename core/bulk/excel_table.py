"""Excel workbooks: the first sheet that has cells; numbers, dates and booleans stay what they are."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from core.bulk.batch import BATCH_ROWS, Batch, unique_names
from core.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_INTEGERS = 2**53


@dataclass(frozen=True, slots=True)
class ExcelTable:
    """A checked sheet, held in memory by the reader (a sheet has at most 1,048,576 rows); `open_excel` makes it."""

    columns: tuple[str, ...]
    rows: int
    notices: tuple[str, ...]
    sheet: CalamineSheet = field(repr=False)
    encoding: str | None = None
    longest_cell: int | None = None

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """All rows in order, `size` at a time; an empty cell is an empty text."""
        start, block = 0, []
        for row in _sheet_rows(self.sheet):
            block.append(row)
            if len(block) == size:
                yield self._batch(start, block)
                start, block = start + size, []
        if block:
            yield self._batch(start, block)

    def _batch(self, start: int, block: Sequence[Sequence[object]]) -> Batch:
        columns = {
            name: [_whole(cell) for cell in column]
            for name, column in zip(self.columns, zip(*block, strict=True), strict=True)
        }
        return Batch(start, len(block), columns)

    def schema(self) -> "pa.Schema":
        """One type a column where its cells agree on one, else text."""
        import pyarrow as pa

        kinds: dict[str, set[type]] = {name: set() for name in self.columns}
        for batch in self.batches():
            for name, cells in batch.columns.items():
                kinds[name].update(type(cell) for cell in cells if cell != "")
        return pa.schema([(name, _arrow_type(found)) for name, found in kinds.items()])


def open_excel(path: Path) -> ExcelTable:
    """Open a workbook's first sheet that has cells.

    Raises:
        TableError: not a workbook, or no sheet with a header and rows.
    """
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except (CalamineError, OSError, ValueError):
        raise TableError(
            f"{path.name} can't be read as an Excel workbook (damaged, protected by a password, or another kind of "
            "file). Nothing was read; save it again as .xlsx or .csv."
        ) from None
    filled = [sheet for sheet in sheets if sheet.height]
    if not filled:
        raise TableError(f"{path.name} is empty. Nothing was read; choose a table with a header and rows.")
    sheet, *others = filled
    if sheet.height < 2:
        raise TableError(f"{path.name} has column names but no rows. Nothing was read; choose a table with rows.")
    rows = _sheet_rows(sheet, with_header=True)
    columns, notices = unique_names([_whole(cell) for cell in next(rows)])
    if others:
        notices += (f"Only the first sheet with cells is read; {len(others)} more are left out.",)
    return ExcelTable(columns, sum(1 for _ in rows), notices, sheet)


def _sheet_rows(sheet: CalamineSheet, *, with_header: bool = False) -> Iterator[Sequence[object]]:
    """The sheet's rows from its first filled one on."""
    first = sheet.start[0] if sheet.start else 0
    rows = iter(sheet.iter_rows())
    for _ in range(first + (0 if with_header else 1)):
        next(rows, None)
    yield from rows


def _whole(cell: object) -> object:
    """Excel stores 67 as 67.0; give it back as it is shown there."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT_INTEGERS:
        return int(cell)
    return cell


def _arrow_type(kinds: set[type]) -> "pa.DataType":
    import pyarrow as pa

    if kinds and kinds <= {int, float}:
        return pa.float64() if float in kinds else pa.int64()
    single = {
        bool: pa.bool_(),
        datetime.date: pa.date32(),
        datetime.datetime: pa.timestamp("us"),
        datetime.time: pa.time64("us"),
        datetime.timedelta: pa.duration("us"),
    }
    return single.get(next(iter(kinds)), pa.string()) if len(kinds) == 1 else pa.string()
