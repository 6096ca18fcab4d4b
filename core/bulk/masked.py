"""A table whose identifiers are masked as it is written: for files that leave the hands of who treats the patients.

Cells with text are masked as notes are; a whole number that is an identifier (a phone's) leaves an empty cell, since
its column may hold numbers only. A column that is called after an identifier (`name`, `手机号`) gives no cell away.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from core.bulk.batch import Batch
from core.language import chinese_shares
from core.safety.identifier_kinds import kind_of_heading, placeholder
from core.safety.identifiers import mask

if TYPE_CHECKING:
    from core.bulk.export import TableWriter


class MaskedWriter:
    """Masks each batch and hands it on.

    Args:
        writer: writes the file.
        text: the column with the notes, which is never hidden whole.
    """

    def __init__(self, writer: "TableWriter", text: str) -> None:
        self._writer, self._text = writer, text

    @property
    def files(self) -> tuple[Path, ...]:
        """What the writer has written."""
        return self._writer.files

    def write(self, batch: Batch, added: pa.RecordBatch) -> None:
        """Append the rows of one batch, masked."""
        columns = {name: self._cells(name, cells) for name, cells in batch.columns.items()}
        arrow = None if batch.arrow is None else self._typed(batch.arrow)
        self._writer.write(replace(batch, columns=columns, arrow=arrow), added)

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def discard(self) -> None:
        """Let go of a file that will not be finished."""
        self._writer.discard()

    def _cells(self, name: str, cells: Sequence[object]) -> list[object]:
        return masked_cells(name, cells, is_text=name == self._text)

    def _typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same where columns have types."""
        arrays = []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            cells = self._cells(field.name, column.to_pylist())
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            masked = pa.array(cells, kind)
            arrays.append(masked.dictionary_encode().cast(field.type) if kind != field.type else masked)
        schema = pa.schema([field.with_nullable(True) for field in batch.schema])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def masked_cells(name: str, cells: Sequence[object], *, is_text: bool) -> list[object]:
    """A column without identifiers.

    Args:
        name: what it is called, which may say that all of it is one.
        cells: its cells.
        is_text: it holds the notes, whatever it is called.
    """
    kind = None if is_text else kind_of_heading(name)
    if kind is None:
        return [_masked(cell) for cell in cells]
    hidden = placeholder(kind, "zh" if chinese_shares([name])[0] else "en")
    return [hidden if isinstance(cell, str) and cell else cell if cell == "" else None for cell in cells]


def _masked(cell: object) -> object:
    """A cell without identifiers; a number that is one leaves nothing."""
    if isinstance(cell, str):
        return mask(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and mask(str(cell)) != str(cell):
        return None
    return cell
