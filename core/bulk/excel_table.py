"""Excel workbooks: one sheet, the first that has cells unless told; numbers, dates and booleans stay what they are."""

import datetime
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from core.bulk.batch import BATCH_ROWS, Batch, shown, unique_names
from core.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_INTEGERS = 2**53
# An encrypted workbook is an old Office container around the stream of this name.
OLD_OFFICE, ENCRYPTED = b"\xd0\xcf\x11\xe0", "EncryptedPackage".encode("utf-16-le")
LARGEST_UNPACKED = 2 << 30  # bytes; an archive can unpack to a thousand times its size


@dataclass(frozen=True, slots=True)
class ExcelTable:
    """A checked sheet, held in memory by the reader (a sheet has at most 1,048,576 rows); `open_excel` makes it.

    Attributes:
        header_row: the row of the sheet, counted from 1, that holds the column names.
    """

    columns: tuple[str, ...]
    rows: int
    notices: tuple[str, ...]
    sheet: CalamineSheet = field(repr=False)
    header_row: int = 1
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


def sheets_with_cells(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets that have cells, in the workbook's order.

    Raises:
        TableError: not a workbook, or no sheet has cells.
    """
    return tuple(sheet.name for sheet in _filled_sheets(path))


def open_excel(path: Path, sheet_name: str | None = None) -> ExcelTable:
    """Open one sheet of a workbook: the one named, else the first that has cells.

    Raises:
        TableError: not a workbook, or no sheet with a header and rows.
    """
    filled = _filled_sheets(path)
    sheet = next((each for each in filled if sheet_name in (None, each.name)), None)
    if sheet is None:
        raise TableError(f"{path.name} has no sheet {shown(str(sheet_name))} with cells. Nothing was read.")
    if sheet.height < 2:
        raise TableError(f"{path.name} has column names but no rows. Nothing was read; choose a table with rows.")
    header_row = 1 + (sheet.start[0] if sheet.start else 0)
    rows = _sheet_rows(sheet, with_header=True)
    header = [_whole(cell) for cell in next(rows)]
    notices = _merged_notices(path, sheet, header_row, header)
    columns, renamed = unique_names(header)
    notices += renamed
    if sheet_name is None and len(filled) > 1:
        notices += (f"Only the first sheet with cells is read; {len(filled) - 1} more are left out.",)
    return ExcelTable(columns, sum(1 for _ in rows), notices, sheet, header_row)


def _filled_sheets(path: Path) -> list[CalamineSheet]:
    _check_container(path)
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except PasswordError:
        raise _protected(path) from None
    except (CalamineError, OSError, ValueError):
        raise TableError(
            f"{path.name} can't be read as an Excel workbook (damaged, protected by a password, or another kind of "
            "file). Nothing was read; save it again as .xlsx or .csv."
        ) from None
    filled = [sheet for sheet in sheets if sheet.height]
    if not filled:
        raise TableError(f"{path.name} is empty. Nothing was read; choose a table with a header and rows.")
    return filled


def _check_container(path: Path) -> None:
    """Refuse what is encrypted, or would not fit into memory once unpacked."""
    with path.open("rb") as file:
        if file.read(len(OLD_OFFICE)) == OLD_OFFICE:
            if ENCRYPTED in file.read():
                raise _protected(path)
            return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # the reader says what it is
    if unpacked > LARGEST_UNPACKED:
        raise TableError(
            f"{path.name} unpacks to more than {LARGEST_UNPACKED >> 30} GB. Nothing was read; save it as .csv or "
            "in parts."
        )


def _protected(path: Path) -> TableError:
    return TableError(
        f"{path.name} is protected by a password. Nothing was read; open it in Excel, remove the password and save it."
    )


def _merged_notices(path: Path, sheet: CalamineSheet, header_row: int, header: Sequence[object]) -> tuple[str, ...]:
    """What merged cells mean for the rows; a title merged over the whole first row is refused.

    Raises:
        TableError: the first row is one merged cell, so the columns have no names.
    """
    merged = sheet.merged_cell_ranges or []
    if not merged:
        return ()
    named = sum(cell not in (None, "") for cell in header)
    over_header = any(start[0] < header_row <= end[0] + 1 and start[1] < end[1] for start, end in merged)
    if named < 2 <= len(header) and over_header:
        raise TableError(
            f"{path.name}: the first row is one merged cell, a title and no column names. Nothing was read; "
            "delete the rows above the column names."
        )
    return (f"{len(merged):,} areas of merged cells: the first cell of each has its value here, the others are empty.",)


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
