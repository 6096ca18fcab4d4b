"""What sets selected notes apart from the rest."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.bulk.csv_writer import harmless
from core.explore.points import Column

BANDS = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)  # of probability, for counting


@dataclass(frozen=True, slots=True)
class MixRow:
    """How often one value occurs among the selected notes and among the rest.

    Attributes:
        value: the value, or for an amount the band that it lies in.
        selected: notes of the selection that have it.
        rest: notes of the rest that have it.
        share_selected: of the selected notes that have any value (0 to 1).
        share_rest: of the rest that have any value (0 to 1).
    """

    value: str
    selected: int
    rest: int
    share_selected: float
    share_rest: float

    @property
    def lift(self) -> float | None:
        """How many times as frequent in the selection as in the rest; none where the rest has no such note."""
        return self.share_selected / self.share_rest if self.share_rest else None


@dataclass(frozen=True, slots=True)
class Mix:
    """The values of a column in a selection against the rest.

    Attributes:
        rows: one a value, the most frequent of the selection first.
        unknown_selected: selected notes without a value; they are left out of all shares.
        unknown_rest: the same for the rest.
    """

    rows: tuple[MixRow, ...]
    unknown_selected: int
    unknown_rest: int


def mix_of(column: Column, selected: NDArray[np.int64]) -> Mix:
    """How the values of a column are spread over the notes at the positions `selected` and over the rest."""
    values = banded(column.values) if column.is_amount else column.values
    inside = np.zeros(len(values), dtype=np.bool_)
    inside[selected] = True
    known = values != ""
    names, codes = np.unique(values[known], return_inverse=True)
    counts = [np.bincount(codes[mask[known]], minlength=len(names)) for mask in (inside, ~inside)]
    shares = [count / max(1, count.sum()) for count in counts]
    order = np.lexsort((names, -counts[1], -counts[0]))
    rows = (
        MixRow(str(names[i]), int(counts[0][i]), int(counts[1][i]), float(shares[0][i]), float(shares[1][i]))
        for i in order
    )
    return Mix(tuple(rows), int((inside & ~known).sum()), int((~inside & ~known).sum()))


def banded(amounts: NDArray[np.float64] | NDArray[np.str_]) -> NDArray[np.str_]:
    """Probabilities as bands, `50–70%`; an empty text for NaN."""
    numbers = amounts.astype(np.float64)
    names = [f"{low:.0%}–{high:.0%}".replace("%–", "–") for low, high in pairwise(BANDS)]
    bands = np.clip(np.searchsorted(BANDS, numbers, side="right") - 1, 0, len(names) - 1)
    return np.where(np.isnan(numbers), "", np.array(names)[bands])


def csv_of(columns: Mapping[str, Sequence[object]]) -> bytes:
    """Columns as csv that Excel opens in any language (UTF-8 with a mark) and runs no formula of."""
    page = io.StringIO(newline="")
    writer = csv.writer(page)
    writer.writerow([harmless(name) for name in columns])
    for row in zip(*columns.values(), strict=True):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return page.getvalue().encode("utf-8-sig")
