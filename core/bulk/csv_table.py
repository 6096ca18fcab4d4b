"""Tables of separated values: encoding and delimiter are found, every row is kept, a row of the wrong width is said."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from core.bulk.batch import BATCH_ROWS, OVERFLOW_COLUMN, Batch, Part, free_name, shown, unique_names
from core.bulk.encodings import codec_after_mark, detect_encoding, open_text
from core.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = ",;\t|"
# A one-column file is read with a separator that no text has, so that commas in its notes stay where they are.
NO_DELIMITER = "\x1f"
SUSPECTS = "^~:#，；、\x1e"
LONGEST_CELL = 1 << 25
SAMPLE_CHARACTERS = 1 << 18
SAMPLE_ROWS = 200
csv.field_size_limit(max(LONGEST_CELL, csv.field_size_limit()))


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A checked csv file; `open_csv` makes it."""

    path: Path
    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    header_cells: int
    rows: int
    notices: tuple[str, ...] = field(default=())
    header: tuple[str, ...] = ()

    @property
    def longest_cell(self) -> int:
        """Characters of the longest cell; reads the file again, which only a target that can't hold long cells asks."""
        with open_text(self.path, self.encoding) as file:
            reader = _data_rows(self.path, file, self.delimiter)
            return max(len(max(row, key=len)) for row in reader)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """All rows in order, `size` at a time; each cell is the text that stands in the file."""
        with open_text(self.path, self.encoding) as file:
            reader = _data_rows(self.path, file, self.delimiter)
            start = 0
            while block := list(islice(reader, size)):
                yield self._batch(block, start)
                start += len(block)

    def _batch(self, block: list[list[str]], start: int) -> Batch:
        problems: dict[int, str] = {}
        header = list(self.header)
        repeats = [place for place, row in enumerate(block) if row == header] if header in block else []
        if set(map(len, block)) != {self.header_cells}:
            problems = self._even_out(block, start)
        problems |= {place: f"row {start + place + 2} of the file repeats the column names" for place in repeats}
        cells = (list(column) for column in zip(*block, strict=True))
        columns = dict(zip(self.columns, cells, strict=False))
        if len(columns) < len(self.columns):
            columns[self.columns[-1]] = [""] * len(block)
        return Batch(start, len(block), columns, problems)

    def parts(self, rows: int) -> list[Part]:
        """All rows as parts of so many; reads the file once more, to know where each begins."""
        codec, mark = codec_after_mark(self.path, self.encoding)
        with open_text(self.path, self.encoding) as file:
            lines = _Counted(file, codec, mark)
            reader = _all_rows(self.path, lines, self.delimiter)
            next(reader, None)
            data, begins = filter(None, reader), [lines.bytes]
            while sum(1 for _ in islice(data, rows)):
                begins.append(lines.bytes)
        exact = begins[-1] == self.path.stat().st_size  # some encodings write one character in two ways
        return [
            Part(start, min(rows, self.rows - start), at if exact else None)
            for start, at in zip(range(0, self.rows, rows), begins, strict=False)
        ]

    def read(self, part: Part) -> Batch:
        """The rows of a part."""
        if part.at is None:  # the rows before it have to be read too
            with open_text(self.path, self.encoding) as file:
                reader = _data_rows(self.path, file, self.delimiter)
                return self._batch(list(islice(reader, part.start, part.start + part.rows)), part.start)
        with open_text(self.path, self.encoding, part.at) as file:
            reader = filter(None, _all_rows(self.path, file, self.delimiter))
            return self._batch(list(islice(reader, part.rows)), part.start)

    def _even_out(self, block: list[list[str]], start: int) -> dict[int, str]:
        """Give every row of the block all columns; cells too many go, quoted, into the overflow column."""
        width, problems = self.header_cells, {}
        for position, row in enumerate(block):
            if len(row) != width:
                problems[position] = (
                    f"row {start + position + 2} of the file has {len(row)} cells, the header has {width}"
                )
            if len(self.columns) > width:
                row[width:] = [_joined(row[width:], self.delimiter)] if len(row) > width else []
            row.extend([""] * (len(self.columns) - len(row)))
        return problems

    def schema(self) -> "pa.Schema":
        """Text in every column: csv has no types."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.columns])


def open_csv(path: Path) -> CsvTable:
    """Check a csv file from first to last row, and open it.

    Raises:
        TableError: unknown encoding, no header, no rows, a quote that never closes.
    """
    encoding = detect_encoding(path)
    with open_text(path, encoding) as file:
        delimiter = _find_delimiter(path, file.read(SAMPLE_CHARACTERS))
    rows, ragged, repeated, widest = 0, 0, 0, 0
    with open_text(path, encoding) as file:
        reader = _all_rows(path, file, delimiter)
        header = next(reader, None)
        if header is None:
            raise TableError(f"{path.name} is empty. Nothing was read; choose a table with a header and rows.")
        width = len(header)
        while block := list(islice(filter(None, reader), BATCH_ROWS)):
            widths = list(map(len, block))
            rows += len(block)
            ragged += len(block) - widths.count(width)
            repeated += block.count(header)
            widest = max(widest, *widths)
    if not rows:
        raise TableError(f"{path.name} has column names but no rows. Nothing was read; choose a table with rows.")
    columns, notices = unique_names(header)
    if widest > width:
        columns = (*columns, free_name(OVERFLOW_COLUMN, set(columns)))
    if ragged:
        notices += (_ragged_notice(ragged, width, columns[-1] if widest > width else None),)
    if repeated:
        notices += (
            f"Rows that repeat the column names, as where tables were put together: {repeated:,}. Each is an error.",
        )
    return CsvTable(path, columns, encoding, delimiter, width, rows, notices, tuple(header))


def _ragged_notice(ragged: int, width: int, overflow: str | None) -> str:
    kept = f" Cells too many are kept in the column {shown(overflow)}." if overflow else ""
    return f"{ragged:,} rows do not have the {width} cells that the header has.{kept}"


class _Counted:
    """Lines of a text, and how many bytes those read so far are in the file."""

    def __init__(self, lines: Iterable[str], codec: str, mark: int) -> None:
        self._lines, self._codec, self.bytes = iter(lines), codec, mark

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.bytes += len(line.encode(self._codec))
        return line


def _data_rows(path: Path, lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Every row after the header; wholly blank lines are no rows."""
    reader = _all_rows(path, lines, delimiter)
    next(reader, None)
    return filter(None, reader)


def _all_rows(path: Path, lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Every row from the header on; blank ones after it too, which are empty lists."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield row
                break
        yield from reader
    except csv.Error as error:
        raise TableError(_quote_message(path, reader.line_num, str(error))) from None
    except UnicodeDecodeError:
        raise TableError(f"{path.name} changed while it was read. Nothing more was done; run again.") from None


def _quote_message(path: Path, line: int, error: str) -> str:
    if "field limit" in error or "end of data" in error:
        return (
            f"{path.name}: a quotation mark that opens a cell before line {line:,} never closes, "
            f"or a cell is longer than {LONGEST_CELL >> 20} MB. Nothing was read; close the mark or double it."
        )
    return (
        f"{path.name}, line {line:,}: a quoted cell goes on after its closing quotation mark. "
        "Nothing was read; double the marks inside the cell."
    )


def _find_delimiter(path: Path, sample: str) -> str:
    """The delimiter under which the header has several cells and most rows as many.

    Raises:
        TableError: one column whose name holds another separator, so the table would be read as one column wrongly.
    """
    scored = [(_fit(sample, delimiter), -place, delimiter) for place, delimiter in enumerate(DELIMITERS)]
    (fit, cells), _, best = max(scored)
    if cells > 1 and fit > 0:
        return best
    header = next(iter(_sample_rows(sample, NO_DELIMITER)), [""])
    if header and any(mark in header[0].strip() for mark in SUSPECTS):
        raise TableError(
            f"{path.name}: no delimiter was found, the header is one cell: {shown(header[0])}. "
            "Nothing was read; part the cells with comma, semicolon, tab or |."
        )
    return NO_DELIMITER


def _fit(sample: str, delimiter: str) -> tuple[float, int]:
    """Share of sample rows as wide as the header, and that width."""
    rows = _sample_rows(sample, delimiter)
    if not rows or len(rows[0]) < 2:
        return 0.0, 1
    width = len(rows[0])
    body = rows[1:] or rows
    return sum(len(row) == width for row in body) / len(body) or 0.01, width


def _sample_rows(sample: str, delimiter: str) -> list[list[str]]:
    """The first rows of the sample; the last is left out when the sample's end may have cut it."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        rows.extend(islice(filter(None, reader), SAMPLE_ROWS))
    except csv.Error:
        return rows
    return rows[:-1] if len(sample) >= SAMPLE_CHARACTERS and 1 < len(rows) < SAMPLE_ROWS else rows


def _joined(cells: Sequence[str], delimiter: str) -> str:
    """The cells as one line of csv, so that none of them is lost in the overflow column."""
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()
