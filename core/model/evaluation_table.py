"""What evaluation reads from a labelled table: notes, reference labels, subgroups."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.bulk.patient import AGE_NAMES, SEX_NAMES, make_notes
from core.bulk.tables import TEXT_NAMES, guess_text_column, named_column, open_table
from core.errors import TableError
from core.language import languages_of
from core.notes import Note

MOST_GROUPS = 50
LANGUAGE = "language"
EMPTY = "(empty)"


def text_column_of(source: pd.DataFrame | Path, table: pd.DataFrame, wanted: str | None) -> str:
    """The name of the notes' column: the one wanted, else guessed.

    Raises:
        TableError: there is none; names the columns that there are.
    """
    columns = tuple(map(str, table.columns))
    column = wanted or named_column(columns, TEXT_NAMES)
    if column is None and isinstance(source, Path):
        return guess_text_column(open_table(source))
    if column not in columns:
        missing = f"no column {wanted}" if wanted else "no column that looks like the notes' text"
        raise TableError(f"The table has {missing}; it has {', '.join(columns)}. Say which with --text-column.")
    return column


def notes_of(table: pd.DataFrame, column: str) -> list[Note]:
    """One note a row, with age and sex where the table has them."""
    columns = tuple(map(str, table.columns))
    age, sex = named_column(columns, AGE_NAMES), named_column(columns, SEX_NAMES)
    return make_notes(
        ["" if pd.isna(cell) else cell for cell in table[column]],
        None if age is None else table[age].tolist(),
        None if sex is None else table[sex].tolist(),
    )


def labels_of(table: pd.DataFrame, tasks: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The reference labels by task, shape (n,), an empty string where there is none."""
    if not set(tasks) & set(table.columns):
        raise TableError(
            f"The table has no label column; it has {', '.join(map(str, table.columns))}. "
            f"Nothing was evaluated; name at least one column {' or '.join(tasks)}."
        )
    none = np.full(len(table), "", dtype=object)
    return {
        task: np.array([as_label(cell) for cell in table[task]], dtype=object) if task in table.columns else none
        for task in tasks
    }


def as_label(cell: object) -> str:
    """A cell as a label, empty for a missing one; a level that a table program made decimal (`2.0`) is whole again."""
    if pd.isna(cell):  # type: ignore[call-overload]  # a single cell
        return ""
    text = str(cell).strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def groups_of(table: pd.DataFrame, text_column: str, by: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The subgroup of each row, by column."""
    names = tuple(dict.fromkeys((LANGUAGE, *by)))
    missing = [name for name in names if name not in table.columns and name != LANGUAGE]
    if missing:
        raise TableError(
            f"The table has no column {', '.join(missing)} to group by; it has {', '.join(map(str, table.columns))}."
        )
    found: dict[str, NDArray[Any]] = {}
    for name in names:
        if name in table.columns:
            values = [as_label(cell) or EMPTY for cell in table[name]]
        else:
            values = list(map(str, languages_of(["" if pd.isna(cell) else str(cell) for cell in table[text_column]])))
        different = len(set(values))
        # A free text or an identifier would put every row into a group, and its content into the report.
        if name == text_column or different > MOST_GROUPS:
            raise TableError(
                f"The column {name} can't be grouped by: {different} different values. Nothing was evaluated; name one "
                f"with at most {MOST_GROUPS}."
            )
        found[name] = np.array(values, dtype=object)
    return found
