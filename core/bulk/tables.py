"""Open a table by its suffix, find its text column, or read it whole for training."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.bulk.batch import Batch, Table, shown
from core.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUFFIXES", "Batch", "Table", "guess_text_column", "named_column", "open_table", "read_frame"]

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".parquet")
# What a file really is, by its first bytes, when its suffix says that it is text.
SIGNATURES = (
    (b"\x89PNG", "a picture (PNG)"), (b"\xff\xd8\xff", "a picture (JPEG)"), (b"GIF8", "a picture (GIF)"),
    (b"BM", "a picture (BMP)"), (b"%PDF", "a PDF"), (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"PAR1", "a parquet file"), (b"\x1f\x8b", "a gzip archive"), (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x7fELF", "a program"), (b"RIFF", "a sound, film or picture"),
)  # fmt: skip
TEXT_NAMES = (
    "text", "note", "notes", "message", "主诉", "病情描述", "内容", "文本", "病情", "描述", "现病史", "症状",
    "患者主诉", "问题", "咨询内容", "chief complaint", "chief_complaint", "chiefcomplaint", "complaint", "question",
    "content", "description", "clinical note", "clinical_note", "transcription", "symptoms", "narrative",
    "triage note", "triage_note", "reason", "reason for visit", "presenting complaint", "body",
)  # fmt: skip
SAMPLE_ROWS = 200


class NoTextColumn(TableError):
    """No column of a table looks like the notes' text; a person must say which it is."""


def open_table(path: Path, sheet: str | None = None) -> Table:
    """Open a table for reading; its suffix says which kind it is.

    Args:
        path: the file.
        sheet: which sheet of a workbook; none: its first with cells.

    Raises:
        TableError: missing, a folder, empty, another kind of file than its suffix says, or not readable as a table.
    """
    suffix = path.suffix.lower()
    _check_source(path, suffix)
    if sheet is not None and suffix.startswith(".xls"):
        from core.bulk.excel_table import open_excel

        return open_excel(path, sheet)
    return _opener(suffix)(path)


def _opener(suffix: str) -> Callable[[Path], Table]:
    """The reader for a suffix; imported here so that no command pays for kinds of table that it does not meet."""
    if suffix == ".parquet":
        from core.bulk.parquet_table import open_parquet

        return open_parquet
    if suffix.startswith(".xls"):
        from core.bulk.excel_table import open_excel

        return open_excel
    from core.bulk.csv_table import open_csv

    return open_csv


def _check_source(path: Path, suffix: str) -> None:
    try:
        if path.is_dir():
            raise TableError(f"{path.name} is a folder. Nothing was read; name one table: {', '.join(SUFFIXES)}.")
        if not path.exists():
            raise TableError(f"{path} does not exist. Nothing was read; check the name.")
        if suffix not in SUFFIXES:
            raise TableError(
                f"{path.name}: {suffix or 'a name without suffix'} is no kind of table that can be read. "
                f"Nothing was read; use one of {', '.join(SUFFIXES)}."
            )
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise TableError(f"{path.name} can't be opened ({error.strerror}). Nothing was read.") from None
    if not head:
        raise TableError(f"{path.name} is empty. Nothing was read; choose a table with a header and rows.")
    if suffix in (".csv", ".tsv", ".txt"):
        _check_is_text(path, head)


def _check_is_text(path: Path, head: bytes) -> None:
    kind = next((name for signature, name in SIGNATURES if head.startswith(signature)), None)
    # A header may begin with these letters; the other signatures hold bytes that no header has.
    if kind and not (head.startswith((b"BM", b"GIF8", b"RIFF", b"PAR1")) and b"\0" not in head and head.isascii()):
        raise TableError(
            f"{path.name} is {kind}, not a text table. Nothing was read; give it its right suffix or choose another."
        )


def named_column(columns: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    """The first column called one of `names` (case, blanks around it aside), the earlier names first."""
    by_name = {column.strip().casefold(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def guess_text_column(table: Table) -> str:
    """The column that holds the notes: by its name, else the one whose first rows hold by far the most words.

    Raises:
        TableError: none does; names the columns that there are.
    """
    if (named := named_column(table.columns, TEXT_NAMES)) is not None:
        _check_header(table, named)
        return named
    batch = next(table.batches(SAMPLE_ROWS))
    lengths = {name: _mean_length(list(batch.columns[name])) for name in table.columns}
    best, *others = sorted(lengths, key=lambda name: -lengths[name])
    if lengths[best] < 4 or (others and lengths[best] < 1.5 * lengths[others[0]]):
        listed = ", ".join(shown(name) for name in table.columns[:20])
        more = f" and {len(table.columns) - 20} more" if len(table.columns) > 20 else ""
        raise NoTextColumn(
            f"No column looks like the notes' text; the columns are {listed}{more}. "
            "Nothing was read; say which with --text-column."
        )
    _check_header(table, best)
    return best


def _check_header(table: Table, name: str) -> None:
    if len(name) > 60 or any(mark in name for mark in "。！？，"):
        raise TableError(
            f"The first row looks like a note, not like column names ({shown(name, 12)}). Nothing was read; "
            "add a row of column names."
        )


def _mean_length(cells: list[object]) -> float:
    """Mean length of a column's texts, in UTF-8 bytes; numbers and dates count nothing."""
    if not cells:
        return 0.0
    texts = [cell for cell in cells if isinstance(cell, str) and any(character.isalpha() for character in cell)]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / len(cells)


def read_frame(path: Path) -> "pd.DataFrame":
    """A whole table with all its columns, for training and evaluation.

    csv cells are text (a label `2` stays the text "2"); an empty cell is missing (None) in every kind of table.

    Raises:
        TableError: as `open_table`; also for a csv row that is not as wide as the header.
    """
    import pandas as pd

    if Path(path).suffix.lower() == ".parquet":
        open_table(path)
        return pd.read_parquet(path)
    table = open_table(path)
    columns: dict[str, list[object]] = {name: [] for name in table.columns}
    for batch in table.batches():
        for problem in batch.problems.values():
            raise TableError(f"{Path(path).name}: {problem}. Nothing was read; mend that row.")
        for name, cells in batch.columns.items():
            columns[name].extend(None if cell == "" else cell for cell in cells)
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
