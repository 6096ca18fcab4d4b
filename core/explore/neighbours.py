"""The notes that are most like one note, by the cosine of their vectors."""

from dataclasses import dataclass

import numpy as np

from core.embedding.space import Vectors
from core.explore.points import NoteSet


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A note that is like another.

    Attributes:
        place: its position in the note set.
        id: its id there.
        similarity: cosine of the two vectors (-1 to 1).
        facts: what is known of it, by the column's key; a probability is left out.
    """

    place: int
    id: int
    similarity: float
    facts: dict[str, str]


def nearest(vector: Vectors, notes: NoteSet, count: int = 10, *, but: int | None = None) -> list[Neighbour]:
    """The `count` notes nearest to a vector of length 1, the most similar first; of equals the earlier.

    Args:
        vector: shape (dimension,).
        notes: where to look.
        count: how many; fewer where there are not so many notes.
        but: id of a note to leave out, for the neighbours of a note of this set.
    """
    similarities = notes.vectors @ vector
    order = np.argsort(-similarities, kind="stable")
    if but is not None:
        order = order[notes.ids[order] != but]
    return [_neighbour(int(place), float(similarities[place]), notes) for place in order[:count]]


def _neighbour(place: int, similarity: float, notes: NoteSet) -> Neighbour:
    facts = {column.key: str(column.values[place]) for column in notes.columns if not column.is_amount}
    return Neighbour(place, int(notes.ids[place]), min(1.0, max(-1.0, similarity)), facts)
