"""The beginning of a table as a table of its own, for a look or a dry run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.bulk.batch import BATCH_ROWS, Batch, Table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of a table; `first_rows` makes it."""

    table: Table
    rows: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's own names."""
        return self.table.columns

    @property
    def encoding(self) -> str | None:
        """The table's own encoding."""
        return self.table.encoding

    @property
    def longest_cell(self) -> int | None:
        """The longest cell of the whole table."""
        return self.table.longest_cell

    @property
    def notices(self) -> tuple[str, ...]:
        """What is said of the whole table."""
        return self.table.notices

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """One batch with all the rows; a batch can hold them all."""
        yield next(self.table.batches(min(size, self.rows)))

    def schema(self) -> "pa.Schema":
        """The types of the whole table's columns."""
        return self.table.schema()


def first_rows(table: Table, rows: int) -> Table:
    """The first `rows` rows of a table, at most a batch, or all where it has fewer."""
    return FirstRows(table, min(rows, BATCH_ROWS, table.rows if table.rows is not None else rows))
