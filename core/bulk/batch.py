"""What every kind of table looks like to the rest of the desk."""

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

OVERFLOW_COLUMN = "extra_cells"
BATCH_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of a table.

    Attributes:
        start: index of the first of them, counted from 0 without the header.
        rows: how many they are.
        columns: the cells by column name, each list as long as `rows`.
        problems: what is wrong with a row's shape, by its position in this batch; its cells are all in `columns`.
        arrow: the same rows with the file's own types, where the file has types.
    """

    start: int
    rows: int
    columns: Mapping[str, Sequence[object]]
    problems: Mapping[int, str] = field(default_factory=dict)
    arrow: "pa.RecordBatch | None" = None


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive rows of a table that can be read without those before them.

    Attributes:
        start: index of the first of them, counted from 0 without the header.
        rows: how many they are.
        at: the byte of the file at which they begin, where that is what finds them.
    """

    start: int
    rows: int
    at: int | None = None


class Table(Protocol):
    """A table on disk that was opened and checked; reading it again starts from its first row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names, unique and never empty."""

    @property
    def encoding(self) -> str | None:
        """The encoding of a csv file; none for other kinds."""

    @property
    def rows(self) -> int | None:
        """How many rows there are, the header not counted."""

    @property
    def longest_cell(self) -> int | None:
        """Characters of the longest text cell, where it can be known; may take as long as reading the table."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the reader did that its user should know, a sentence each."""

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """All rows in order, `size` at a time.

        Raises:
            TableError: the file can no longer be read as it was checked.
        """

    def schema(self) -> "pa.Schema":
        """The columns' types as Arrow has them, for a target that keeps types."""


def unique_names(header: Sequence[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Unique names for the columns of a header, and a sentence for each that had to be made.

    The first column of a name keeps it, the second of `text` becomes `text_2`; one without a name becomes `column_3`
    after its place.
    """
    given = ["" if cell is None else str(cell).strip() for cell in header]
    taken = set(given)
    seen: Counter[str] = Counter()
    names: list[str] = []
    notices: list[str] = []
    for place, name in enumerate(given, start=1):
        seen[name] += 1
        if name and seen[name] == 1:
            names.append(name)
            continue
        fresh = free_name(f"{name}_{seen[name]}" if name else f"column_{place}", taken)
        taken.add(fresh)
        names.append(fresh)
        why = f"has the same name as another ({shown(name)})" if name else "has no name"
        notices.append(f"Column {place} {why}; it is called {shown(fresh)} here.")
    return tuple(names), tuple(notices)


def free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or the first of `wanted_2`, `wanted_3`, … that is not taken."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name


def shown(name: str, limit: int = 40) -> str:
    """A column's name in quotes, cut so that a note that stands where a name should be is not shown whole."""
    clean = " ".join(name.split())
    return f"“{clean if len(clean) <= limit else clean[: limit - 1] + '…'}”"


def plain_text(cell: object) -> str:
    """A date, a list or anything else as text."""
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    if isinstance(cell, bytes):
        return cell.hex()
    return str(cell)
