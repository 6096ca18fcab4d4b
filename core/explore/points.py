"""What a map is made of: notes with vectors and columns, and where each lies."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.embedding.space import Vectors
from core.model.bundle import Reference

Role = Literal["label", "predicted", "probability", "agreement", "review", "language", "source", "other"]
FACTS: tuple[Role, ...] = ("source", "language")  # what the reference keeps beside the labels
Coordinates = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Column:
    """One fact about each of n notes, to colour by.

    Attributes:
        role: what kind of fact it is.
        name: the task that it belongs to, or the column's own name.
        values: shape (n,): texts (empty where unknown), or for a probability float64 from 0 to 1.
    """

    role: Role
    name: str
    values: NDArray[np.str_] | NDArray[np.float64]

    @property
    def key(self) -> str:
        """What names this column among the others of its notes."""
        return f"{self.role}:{self.name}"

    @property
    def is_amount(self) -> bool:
        """Whether the values are numbers."""
        return self.values.dtype.kind == "f"


@dataclass(frozen=True, slots=True)
class NoteSet:
    """n notes to look at.

    Attributes:
        ids: shape (n,): the row in the sheet for notes of a table (its header is row 1), else the position from 1.
        vectors: embedding vectors of length 1, shape (n, dimension).
        columns: what is known of them.
        texts: as written, where the notes came with text; the reference of a bundle has none.
    """

    ids: NDArray[np.int64]
    vectors: Vectors
    columns: tuple[Column, ...]
    texts: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """How many notes."""
        return len(self.ids)

    def column(self, key: str | None) -> Column:
        """The column of this key; the first one when there is none of it."""
        return next((column for column in self.columns if column.key == key), self.columns[0])

    def places(self, ids: frozenset[int]) -> NDArray[np.int64]:
        """Positions of the notes with these ids; ids that are not here are passed over."""
        return np.flatnonzero(np.isin(self.ids, np.fromiter(ids, np.int64, len(ids))))


@dataclass(frozen=True, slots=True)
class MapData:
    """A map: where each note lies, and what its points can be coloured by.

    Attributes:
        ids: as in the note set, shape (n,).
        coordinates: shape (n, 2) or (n, 3).
        columns: as in the note set.
        explained: share of all variance along each axis, of the notes that the axes were fitted on.
    """

    ids: NDArray[np.int64]
    coordinates: Coordinates
    columns: tuple[Column, ...]
    explained: tuple[float, ...]


def reference_notes(reference: Reference) -> NoteSet:
    """The reference of a bundle as a note set, its labels in the order of the bundle."""
    columns = [_reference_column(name, values) for name, values in reference.labels.items()]
    return NoteSet(np.arange(1, len(reference.vectors) + 1, dtype=np.int64), unit(reference.vectors), tuple(columns))


def _reference_column(name: str, values: NDArray[np.str_]) -> Column:
    role = next((fact for fact in FACTS if fact == name), None)
    return Column(role or "label", "" if role else name, values)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """The vectors as float32 with length 1; a vector of zeros stays."""
    exact = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(exact, axis=-1, keepdims=True)
    return np.asarray(exact / np.where(lengths > 0, lengths, 1), dtype=np.float32)
