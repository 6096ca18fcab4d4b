"""How the points of a map look by the column that they are coloured by: each value a colour and a symbol of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.charts.style import MUTED, PALETTE, level_colour
from app.map_words import column_title, value_name
from app.text import Voice
from core.explore.points import Column

# Told apart at a size of 7 px, and known to both kinds of figure (WebGL in two and in three dimensions).
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "circle-open", "diamond-open", "square-open")
MOST_VALUES = 24  # with a colour and symbol of their own; the rarer ones share one


@dataclass(frozen=True, slots=True)
class PointGroup:
    """Points that look alike.

    Attributes:
        name: as the legend has it.
        colour: of the points.
        symbol: of the points.
        places: positions of the notes.
    """

    name: str
    colour: str
    symbol: str
    places: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Colouring:
    """The points by one column.

    Attributes:
        title: of the column.
        groups: of points, the largest first; a probability has one group.
        amounts: the probability of each note where the column is one, shape (n,).
    """

    title: str
    groups: tuple[PointGroup, ...]
    amounts: NDArray[np.float64] | None = None


def colouring_by(column: Column, say: Voice) -> Colouring:
    """The points coloured by a column; acuity has its own colours, and what is not known is pale."""
    title = column_title(column, say)
    if column.is_amount:
        everything = np.arange(len(column.values), dtype=np.int64)
        return Colouring(title, (PointGroup(title, MUTED, "circle", everything),), column.values.astype(np.float64))
    texts = column.values.astype(np.str_)
    values, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    order = [int(i) for i in _order(column, values, counts)]
    own = [i for i in order if values[i] != ""][:MOST_VALUES]
    groups = [
        PointGroup(value_name(column, str(values[i]), say), *_look(column, str(values[i]), rank), _at(codes, i))
        for rank, i in enumerate(own)
    ]
    rare = [i for i in order if values[i] != "" and i not in own]
    if rare:
        places = np.flatnonzero(np.isin(codes, rare))
        groups.append(PointGroup(say("{count} rarer values", count=len(rare)), MUTED, "x", places))
    if (values == "").any():
        missing = int(np.flatnonzero(values == "")[0])
        groups.insert(0, PointGroup(value_name(column, "", say), MUTED, "circle-open", _at(codes, missing)))
    return Colouring(title, tuple(groups))


def _order(column: Column, values: NDArray[np.str_], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Levels in their order, other values by how often they occur."""
    by_name = column.name == "acuity" and column.role in ("label", "predicted")
    return np.argsort(values, kind="stable") if by_name else np.lexsort((values, -counts))


def _look(column: Column, value: str, rank: int) -> tuple[str, str]:
    """Colour and symbol: different in both for the first eight, as a pair for all."""
    if column.name == "acuity" and column.role in ("label", "predicted") and value in ("1", "2", "3", "4", "5"):
        return level_colour(value), SYMBOLS[int(value) - 1]
    return PALETTE[rank % len(PALETTE)], SYMBOLS[(rank + rank // len(PALETTE)) % len(SYMBOLS)]


def _at(codes: NDArray[np.int64], code: int) -> NDArray[np.int64]:
    return np.flatnonzero(codes == code)
