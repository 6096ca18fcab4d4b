"""Where the classified table goes: which targets are refused, and the writer for each kind."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from core.bulk.answers import Kind
from core.bulk.batch import Batch, Table
from core.errors import TableError

TARGET_SUFFIXES = (".csv", ".xlsx", ".parquet")


class TableWriter(Protocol):
    """Writes a table's batches with the added cells beside them."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What it has written: the path asked for, and more where one file can't hold all rows."""

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch."""

    def close(self) -> None:
        """Finish the file."""

    def discard(self) -> None:
        """Let go of a file that will not be finished."""


def check_target(target: Path, table: Table, source: Path) -> None:
    """Refuse a target that can be known to fail, before any work is done.

    Raises:
        TableError: unknown suffix, a folder, no parent, not writable, the source itself, a cell too long for Excel.
    """
    suffix = target.suffix.lower()
    if suffix not in TARGET_SUFFIXES:
        raise TableError(
            f"{target.name}: {suffix or 'a name without suffix'} is no kind of table that can be written. "
            f"Nothing was done; use one of {', '.join(TARGET_SUFFIXES)}."
        )
    if target.is_dir():
        raise TableError(f"{target.name} is a folder. Nothing was done; name a file as the target.")
    if not target.parent.is_dir():
        raise TableError(f"The folder {target.parent} does not exist. Nothing was done; make it or choose another.")
    if target.exists() and target.samefile(source):
        raise TableError(f"{target.name} is the input itself. Nothing was done; choose another target.")
    if not _is_writable(target.parent) or (target.exists() and not _is_writable(target)):
        raise TableError(f"{target} is read-only. Nothing was done; choose another target.")
    if suffix == ".xlsx":
        from core.bulk.excel_writer import check_cells_fit_excel

        check_cells_fit_excel(table)


def numbered(path: Path, number: int) -> Path:
    """`name.xlsx` for the first file, `name-2.xlsx` for the second."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


def _is_writable(path: Path) -> bool:
    """Whether it may be written to and was not marked read-only, which an administrator's rights would override."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def open_writer(
    path: Path,
    table: Table,
    added: Mapping[str, Kind],
    names: Mapping[str, str],
    *,
    signature: bool = False,
    facts: Mapping[str, str] | None = None,
    sink: pa.NativeFile | None = None,
    masked: str | None = None,
) -> TableWriter:
    """A writer for `path`, whose suffix says the kind; imported here so that no run pays for the other kinds.

    Args:
        path: the file to write; it is replaced.
        table: the table whose columns come first.
        added: the added columns and their kinds.
        names: what each added column is called in the file.
        signature: begin a csv with a byte order mark, by which Excel knows its encoding.
        facts: what a parquet file's metadata is to tell of the run.
        sink: where a csv or parquet file is written instead; the path says the kind only.
        masked: the column with the notes, where identifiers are to be masked in all columns; none: they are not.
    """
    if masked is not None:
        from core.bulk.masked import MaskedWriter

        plain = open_writer(path, table, added, names, signature=signature, facts=facts, sink=sink)
        return MaskedWriter(plain, masked)
    if path.suffix.lower() == ".parquet":
        from core.bulk.parquet_writer import ParquetWriter

        return ParquetWriter(path, table, added, names, facts or {}, sink)
    if path.suffix.lower() == ".xlsx":
        from core.bulk.excel_writer import ExcelWriter

        return ExcelWriter(path, table, added, names)
    from core.bulk.csv_writer import CsvWriter

    return CsvWriter(path, table, added, names, signature=signature, sink=sink)
