"""A folder of tables, planned: which tables it has, their parts, and what the file of each part is called."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.bulk.batch import Batch, Part
from core.bulk.classify import rows_of_a_shard
from core.bulk.columns import Columns, find_columns
from core.bulk.csv_table import CsvTable
from core.bulk.parquet_table import ParquetTable
from core.bulk.place import files_below, fingerprint, in_bucket, told
from core.bulk.tables import SUFFIXES, open_table
from core.errors import TableError

READ = (".csv", ".tsv", ".txt", ".parquet")


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table of the folder, opened and checked.

    Attributes:
        name: its name in the folder, folders before it.
        place: where it is.
        table: how it is read.
        columns: where its notes, ages and sexes stand.
        digest: what changes when the file does.
        stamp: its size and time, which tell of a change while it is read.
        part_rows: rows that a part was to have.
        parts: its rows, part by part.
    """

    name: str
    place: Path
    table: CsvTable | ParquetTable
    columns: Columns
    digest: str
    stamp: tuple[int, float]
    part_rows: int
    parts: tuple[Part, ...]

    def shards(self) -> Iterator["TablePart"]:
        """Its shards in the order of its rows."""
        stem, suffix = self.name.rsplit(".", 1)
        kind = "parquet" if suffix.lower() == "parquet" else "csv"
        for number, part in enumerate(self.parts):
            which = f"-{number:05}-of-{len(self.parts):05}" if len(self.parts) > 1 else ""
            yield TablePart(self, part, f"{stem}{which}.{kind}")


@dataclass(frozen=True, slots=True)
class TablePart:
    """A part of a table: the source of one shard.

    Attributes:
        planned: the table.
        part: which rows.
        target: the name of its file in the target's folder.
    """

    planned: PlannedTable
    part: Part
    target: str

    @property
    def label(self) -> str:
        """Which rows they are, in words."""
        return f"{self.planned.name} rows {self.part.start + 1:,} to {self.part.start + self.part.rows:,}"

    @property
    def rows(self) -> int:
        """How many rows they are."""
        return self.part.rows

    @property
    def columns(self) -> Columns:
        """Where notes, ages and sexes stand."""
        return self.planned.columns

    def read(self) -> Batch:
        """The rows.

        Raises:
            TableError: they can no longer be read as the table was checked.
        """
        with told(self.planned.place, "read"):
            batch = self.planned.table.read(self.part)
        if batch.rows != self.part.rows:
            raise TableError(f"{self.planned.name} changed while it was read. Nothing more was done; run again.")
        return batch


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run over a folder does.

    Attributes:
        tables: its tables in the order of their names.
        notices: what the user should know, a sentence each.
    """

    tables: tuple[PlannedTable, ...]
    notices: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(part.rows for table in self.tables for part in table.parts)

    def shards(self) -> Iterator[TablePart]:
        """All shards in order."""
        for table in self.tables:
            yield from table.shards()


def plan_folder(source: Path, target: Path, text_column: str | None, part_rows: int | None) -> Plan:
    """Look through a folder, or at one table, before any work is done.

    Raises:
        TableError: no tables, one that can't be read or has no such column, two whose answers would go to one file, or
            a target among the sources.
    """
    with told(source, "read"):
        alone = source.is_file()
        if not alone and not source.is_dir():
            raise TableError(f"{source} does not exist. Nothing was read; check the name.")
    if target == source or source in target.parents:
        raise TableError(f"{target} is in the folder that is read. Nothing was done; choose another target.")
    root, names = (source.parent, [source.name]) if alone else (source, files_below(source))
    tables = [name for name in names if name.lower().endswith(READ)]
    if not tables:
        raise TableError(f"{source} has no tables ({', '.join(READ)}). Nothing was done; check the name.")
    planned = tuple(_planned(root / name, name, text_column, part_rows) for name in tables)
    counts = Counter(shard.target for table in planned for shard in table.shards())
    if twice := [name for name, count in counts.items() if count > 1]:
        raise TableError(f"Two tables would be written to {twice[0]}. Nothing was done; give them different names.")
    left_out = tuple(f"{name} was left out." for name in names if name not in tables and name.endswith(SUFFIXES))
    told_of = tuple(f"{table.name}: {notice}" for table in planned for notice in table.table.notices)
    return Plan(planned, left_out + told_of)


def _planned(place: Path, name: str, text_column: str | None, part_rows: int | None) -> PlannedTable:
    try:
        with told(place, "read"):
            stamp = stamp_of(place)
            table = open_table(place)
            assert isinstance(table, CsvTable | ParquetTable)  # noqa: S101 - by its suffix
            columns = find_columns(table, text_column)
            rows = part_rows or rows_of_a_shard(stamp[0], table.rows)
            parts = tuple(table.parts(rows))
    except TableError as error:
        raise TableError(str(error) if place.name in str(error) else f"{name}: {error}") from None
    return PlannedTable(name, place, table, columns, fingerprint(place), stamp, rows, parts)


def stamp_of(place: Path) -> tuple[int, float]:
    """Size and time of a file."""
    found = place.stat()
    return found.st_size, 0.0 if in_bucket(place) else found.st_mtime
