"""Which columns of a table hold notes, ages and sexes."""

from dataclasses import dataclass

from core.bulk.batch import Table, shown
from core.bulk.patient import AGE_NAMES, SEX_NAMES
from core.bulk.tables import guess_text_column, named_column
from core.errors import TableError


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the notes, ages and sexes of a table stand."""

    text: str
    age: str | None
    sex: str | None


def find_columns(table: Table, text_column: str | None) -> Columns:
    """The text column, asked for or found, and those for age and sex if there are any.

    Raises:
        TableError: no such column; names those that there are.
    """
    if text_column is not None and text_column not in table.columns:
        listed = ", ".join(shown(name) for name in table.columns[:20])
        raise TableError(f"There is no column {shown(text_column)}; there are {listed}. Nothing was done.")
    text = text_column or guess_text_column(table)
    others = tuple(name for name in table.columns if name != text)
    return Columns(text, named_column(others, AGE_NAMES), named_column(others, SEX_NAMES))
