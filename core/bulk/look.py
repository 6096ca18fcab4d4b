"""A first look at a table: its sheets, columns, encoding and first rows, and which columns are probably which."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from core.bulk.answers import STANDARD_TASKS
from core.bulk.batch import Batch, Table
from core.bulk.csv_writer import csv_text, harmless
from core.bulk.encodings import NAMES
from core.bulk.patient import AGE_NAMES, SEX_NAMES
from core.bulk.tables import SAMPLE_ROWS, NoTextColumn, guess_text_column, named_column, open_table

PREVIEW_ROWS = 20
PREVIEW_CHARACTERS = 300
# What a column of reference labels is called.
REFERENCE_NAMES: Mapping[str, tuple[str, ...]] = {
    "department": ("department", "科室", "就诊科室", "挂号科室", "specialty", "clinic", "dept"),
    "acuity": ("acuity", "分诊级别", "紧急程度", "级别", "病情分级", "esi", "triage level", "level", "urgency"),
    "condition": ("condition", "疾病类别", "疾病", "诊断", "diagnosis", "icd chapter"),
}


@dataclass(frozen=True, slots=True)
class TableLook:
    """What a first look at a table found. With several sheets and none chosen, there are no columns yet.

    Attributes:
        sheets: names of the sheets with cells; empty where the file is no workbook.
        sheet: the sheet that was looked at, where there are several.
        columns: the names, unique and never empty.
        rows: how many, the header not counted.
        encoding: what the encoding of a text file is called.
        notices: what the reader did that its user should know, a sentence each.
        header_row: row of the file that holds the column names, counted from 1; 0 where names stand apart from rows.
        text: the column that holds the notes, where that is clear.
        age: the column with ages, by its name.
        sex: the column with the sex, by its name.
        references: columns that probably hold the right label of a task, by task.
        words: share of the first 200 rows that hold a letter or a character, by column; numbers and dates have none.
        preview: the first 20 rows as text, long cells cut.
    """

    sheets: tuple[str, ...]
    sheet: str | None
    columns: tuple[str, ...] = ()
    rows: int = 0
    encoding: str | None = None
    notices: tuple[str, ...] = ()
    header_row: int = 1
    text: str | None = None
    age: str | None = None
    sex: str | None = None
    references: Mapping[str, str] | None = None
    words: Mapping[str, float] | None = None
    preview: tuple[tuple[str, ...], ...] = ()

    @property
    def asks_for_sheet(self) -> bool:
        """Whether a person must say first which sheet is meant."""
        return len(self.sheets) > 1 and self.sheet is None

    def as_dict(self) -> dict[str, Any]:
        """The look as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """The look from its JSON."""
        tuples = {name: tuple(facts[name]) for name in ("sheets", "columns", "notices")}
        return cls(**{**facts, **tuples, "preview": tuple(map(tuple, facts["preview"]))})


def look_at(path: Path, sheet: str | None = None) -> TableLook:
    """Look at a table; a workbook with several sheets is only looked into when one is named.

    Raises:
        TableError: it can't be read as a table, or its first row is a note.
    """
    sheets = _sheets(path)
    if len(sheets) > 1 and sheet is None:
        return TableLook(sheets, None)
    table = open_table(path, sheet)
    sample = next(table.batches(SAMPLE_ROWS))
    try:
        text = guess_text_column(table)
    except NoTextColumn:
        text = None
    others = tuple(name for name in table.columns if name != text)
    return TableLook(
        sheets=sheets,
        sheet=sheet,
        columns=table.columns,
        rows=table.rows or 0,
        encoding=NAMES.get(table.encoding, table.encoding) if table.encoding else None,
        notices=table.notices,
        header_row=getattr(table, "header_row", 0 if path.suffix.lower() == ".parquet" else 1),
        text=text,
        age=named_column(others, AGE_NAMES),
        sex=named_column(others, SEX_NAMES),
        references={task: name for task in STANDARD_TASKS if (name := named_column(others, REFERENCE_NAMES[task]))},
        words={name: _share_with_words(list(sample.columns[name])) for name in table.columns},
        preview=preview_rows(table, sample),
    )


def preview_rows(table: Table, batch: Batch) -> tuple[tuple[str, ...], ...]:
    """The first rows of a batch as text, long cells cut, none of them a formula."""
    columns = [list(map(_cut, batch.columns[name][:PREVIEW_ROWS])) for name in table.columns]
    return tuple(zip(*columns, strict=True))


def _sheets(path: Path) -> tuple[str, ...]:
    if not path.suffix.lower().startswith(".xls") or not path.stat().st_size:
        return ()
    from core.bulk.excel_table import sheets_with_cells

    return sheets_with_cells(path)


def _share_with_words(cells: Sequence[object]) -> float:
    worded = sum(isinstance(cell, str) and any(map(str.isalpha, cell)) for cell in cells)
    return worded / len(cells) if cells else 0.0


def _cut(cell: object) -> str:
    text = harmless(csv_text(cell))
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
