"""Whether a finding is one of several that a cue lists: “denies fever, cough, or chest pain”."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.safety.cues import CueEntry
from core.safety.sentences import clause_marks
from core.safety.terms import Span

LONGEST_ITEM = {"en": 5, "zh": 8}  # words, characters
FARTHEST = 300  # characters that are looked at
_PLAIN_MARKS = {",", "、"}
_EDGES = " ,、.。!?"


@dataclass(frozen=True, slots=True)
class Enumerations:
    """Tells lists from clauses.

    Attributes:
        list_ends: words that no item of a mere list holds: `since`, `now`, `is`.
        closers: words that close a list: `or`.
    """

    list_ends: re.Pattern[str]
    closers: re.Pattern[str]

    def hold(self, text: str, cue: CueEntry, marks: Sequence[tuple[int, str]], stretch: Span, stop: int) -> bool:
        """Whether the finding is an item of a list that the cue opens, through plain commas.

        Args:
            text: normalised.
            cue: which.
            marks: between cue and finding, at least one.
            stretch: from the cue's end to the finding's end.
            stop: the end of the sentence.
        """
        if cue.items == "none" or any(mark not in _PLAIN_MARKS for _, mark in marks):
            return False
        rest = clause_marks(text, stretch[1], min(stop, stretch[1] + FARTHEST))
        edges = [stretch[0], *(place for place, _ in marks), rest[0][0] if rest else stop]
        items = [text[low:high].strip(_EDGES) for low, high in pairwise(edges)]
        if not all(self._is_item(item, cue) for item in items[1:]):
            return False
        return cue.items == "any" or self._is_closed(text, items, rest, stop, cue)

    def _is_closed(
        self, text: str, items: Sequence[str], rest: Sequence[tuple[int, str]], stop: int, cue: CueEntry
    ) -> bool:
        """Whether `or` stands in the finding's item or a later one of the same list, and in none before."""
        if any(self.closers.search(item) for item in items[:-1]):
            return False
        if self.closers.search(items[-1]):
            return True
        ends = [*(place for place, _ in rest[1:]), stop]
        for (low, mark), high in zip(rest, ends, strict=False):
            item = text[low:high].strip(_EDGES)
            if mark not in _PLAIN_MARKS or not self._is_item(item, cue):
                return False
            if self.closers.search(item):
                return True
        return False

    def _is_item(self, item: str, cue: CueEntry) -> bool:
        size = len(item.split()) if cue.language == "en" else len(item)
        return 0 < size <= LONGEST_ITEM[cue.language] and not self.list_ends.search(item)
