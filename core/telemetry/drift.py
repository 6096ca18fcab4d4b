"""Whether notes of these days are like those that the bundle knows: two simple figures over the last notes.

The share of unfamiliar notes is what the bundle's own test says (`core.model.familiarity`, or a third language): about
2 % of notes like those of training are called so. The population stability index compares how the last notes spread
over the acuity levels with how the bundle's answers to its held-out notes did (the manifest's confusion): the sum of
(now - then) * ln(now / then) over the levels. Rules of thumb from credit scoring, where it comes from: under 0.1 alike,
0.1 to 0.25 shifted, above that another population. A site's patients are never those of training, so a change over time
says more than the figure itself. Notes of pages and of the API count, tables do not: they are often old.
"""

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

WINDOW = 500  # notes
ENOUGH = 100  # notes; of fewer the index is mostly chance
LEAST = 0.001  # share taken for a level that never occurs
LEVELS = ("1", "2", "3", "4", "5")


class Drift:
    """The last notes. Several threads may add to it."""

    def __init__(self, window: int = WINDOW) -> None:
        """Nothing was seen yet."""
        self._lock = threading.Lock()
        self._seen: deque[tuple[str, bool]] = deque(maxlen=window)

    def add(self, acuity: str, *, unfamiliar: bool) -> None:
        """Count a note; the oldest is forgotten."""
        with self._lock:
            self._seen.append((acuity, unfamiliar))

    def clear(self) -> None:
        """Forget all notes: another bundle answers."""
        with self._lock:
            self._seen.clear()

    @property
    def notes(self) -> int:
        """How many notes are in the window."""
        return len(self._seen)

    @property
    def unfamiliar_share(self) -> float | None:
        """Share of unfamiliar notes, 0 to 1; none without notes."""
        seen = self._last()
        return sum(unfamiliar for _, unfamiliar in seen) / len(seen) if seen else None

    def index(self, expected: Mapping[str, float]) -> float | None:
        """The population stability index of the acuity levels; none with few notes, or nothing to compare with."""
        seen = self._last()
        if len(seen) < ENOUGH or not expected:
            return None
        found = Counter(acuity for acuity, _ in seen)
        pairs = [(max(found[level] / len(seen), LEAST), max(expected.get(level, 0.0), LEAST)) for level in LEVELS]
        return sum((now - then) * math.log(now / then) for now, then in pairs)

    def _last(self) -> list[tuple[str, bool]]:
        with self._lock:
            return list(self._seen)


def expected_shares(acuity: Mapping[str, Any]) -> dict[str, float]:
    """Share of each level among a bundle's answers to its held-out notes, from the manifest's facts of the task.

    Empty where the manifest has none.
    """
    confusion = (acuity.get("held_out") or {}).get("confusion") or {}
    answered: Counter[str] = Counter()
    for row in confusion.values():
        answered.update({level: int(rows) for level, rows in row.items()})
    total = answered.total()
    return {level: answered[level] / total for level in LEVELS} if total else {}
