"""Whether a finding stands in the scope of a cue: denied, of the family, of the past, of an `if`, or over."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING

from core.safety.cues import CueAt, CueEntry, Kind
from core.safety.enumerations import FARTHEST, Enumerations
from core.safety.sentences import clause_marks, sentence_at, sentence_ends
from core.safety.terms import Span

if TYPE_CHECKING:
    from core.safety.rule_words import WordsFound

NEAREST = 8  # cues on each side that are looked at
LONGEST_COVER = 40  # characters


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """What the scope file says, with its words in normal form.

    Attributes:
        cues: groups of cues, by their number.
        conditions: for each group, what it needs and what it must not have in the sentence.
        enumerations: tells lists from clauses.
        abbreviations: words whose point ends no sentence.
    """

    cues: Sequence[CueEntry]
    conditions: Sequence[tuple[re.Pattern[str] | None, re.Pattern[str] | None]]
    enumerations: Enumerations
    abbreviations: frozenset[str]


class Scopes:
    """The scopes in one text.

    Args:
        text: normalised.
        words: what the scope file says.
        found: findings, cues and what ends their reach in the text.
    """

    def __init__(self, text: str, words: ScopeWords, found: "WordsFound") -> None:
        self._text, self._words, self._found = text, words, found

    @cached_property
    def sentences(self) -> list[int]:
        """Where each sentence ends."""
        return sentence_ends(self._text, self._words.abbreviations)

    def sentence(self, place: int) -> Span:
        """Start and end of the sentence around this place."""
        return sentence_at(self.sentences, place)

    def around(self, start: int, end: int, ignored: frozenset[Kind] = frozenset()) -> CueEntry | None:
        """The cue whose scope holds the finding at `start` to `end`; none: it counts.

        Args:
            start: of the finding.
            end: of the finding.
            ignored: kinds of cues that don't matter for this finding.
        """
        sentence = self.sentence(start)
        for first, last, number in self._near(start, end, sentence):
            cue = self._words.cues[number]
            matters = cue.kind not in ignored or (cue.kind == "negation" and self._turns_round(last, start, end))
            if matters and self._holds(number, (first, last), (start, end), sentence):
                return cue
        return None

    @cached_property
    def _before(self) -> tuple[list[CueAt], list[int]]:
        """Cues that stand before findings, and their ends."""
        cues = sorted((cue for cue in self._found.cues if self._words.cues[cue[2]].side != "after"), key=itemgetter(1))
        return cues, [end for _, end, _ in cues]

    @cached_property
    def _after(self) -> tuple[list[CueAt], list[int]]:
        """Cues that stand after findings, and their starts."""
        cues = sorted(cue for cue in self._found.cues if self._words.cues[cue[2]].side != "before")
        return cues, [start for start, _, _ in cues]

    def _near(self, start: int, end: int, sentence: Span) -> Iterator[CueAt]:
        """The cues of the sentence on both sides of the finding, the nearest first."""
        (before, ends), (after, starts) = self._before, self._after
        upto, beyond = bisect_right(ends, start), bisect_left(starts, end)
        for cue in reversed(before[max(0, upto - NEAREST) : upto]):
            if cue[0] >= sentence[0] and not self._is_none(cue):
                yield cue
        for cue in after[beyond : beyond + NEAREST]:
            if cue[1] <= sentence[1] and not self._is_none(cue):
                yield cue

    def _is_none(self, cue: CueAt) -> bool:
        """Whether the cue is none: it stands in a finding's own words, or a pseudo-cue reaches into it and beyond."""
        start, end, _ = cue
        if any(end <= last for _, last in _begun(self._found.covers, start)):
            return True
        pseudo = _begun(self._found.pseudo, end - 1)
        return any(start < last and (first < start or end < last) for first, last in pseudo)

    def _turns_round(self, last: int, start: int, end: int) -> bool:
        """Whether a `no` that ends at `last` says that a finding in negative words is not there: `no loss of sight`.

        It must stand right before, and the finding's words must hold no `no` of their own: `not moving not breathing`.
        """
        if last > start or self._text[last:start].strip():
            return False
        cues, ends = self._before
        inside = cues[bisect_right(ends, start) : bisect_right(ends, end)]
        return not any(first >= start and self._words.cues[number].kind == "negation" for first, _, number in inside)

    def _holds(self, number: int, at: Span, finding: Span, sentence: Span) -> bool:
        """Whether the cue reaches the finding."""
        cue, forward = self._words.cues[number], at[1] <= finding[0]
        low, high = (at[1], finding[0]) if forward else (finding[1], at[0])
        if high - low > FARTHEST or not self._meets(number, at, finding, sentence):
            return False
        if cue.limit is not None and _size(self._text[low:high], cue) > cue.limit:
            return False
        if self._is_broken(cue, low, high):
            return False
        if cue.reach == "sentence":
            return True
        marks = clause_marks(self._text, low, high)
        if forward and marks and not self._text[low : marks[0][0]].strip() and marks[0][1] == ":":
            marks = marks[1:]  # "Denies: chest pain"
        if cue.reach == "previous":
            return len(marks) <= 1
        if not marks:
            return True
        return forward and self._words.enumerations.hold(self._text, cue, marks, (low, finding[1]), sentence[1])

    def _meets(self, number: int, at: Span, finding: Span, sentence: Span) -> bool:
        """Whether the sentence holds what the cue needs, and nothing that voids it."""
        needs, unless = self._words.conditions[number]
        if unless is not None and unless.search(self._text, *sentence):
            return False
        if needs is None:
            return True
        matches = needs.finditer(self._text, at[1] if at[1] <= finding[0] else sentence[0], sentence[1])
        return any(match.start() >= finding[1] or self._leads_to(match.end(), finding[0]) for match in matches)

    def _leads_to(self, low: int, high: int) -> bool:
        """Whether nothing new begins on the way: “what should I do, now my chest hurts” says two things."""
        new = (self._found.openers, self._found.subjects)
        return (
            low <= high and not clause_marks(self._text, low, high) and not any(_has_within(w, low, high) for w in new)
        )

    def _is_broken(self, cue: CueEntry, low: int, high: int) -> bool:
        """Whether a word between cue and finding ends the reach."""
        if cue.reach == "previous":
            return False
        if _has_within(self._found.breakers, low, high):
            return True
        if cue.reach != "sentence" and _has_within(self._found.openers, low, high):
            return True
        return cue.kind == "negation" and _has_within(self._found.subjects, low, high)


def _begun(spans: Sequence[Span], place: int) -> Sequence[Span]:
    """Of the spans in order, those that begin at the place or shortly before it."""
    return spans[bisect_left(spans, (place - LONGEST_COVER, 0)) : bisect_left(spans, (place + 1, 0))]


def _has_within(spans: Sequence[Span], low: int, high: int) -> bool:
    place = bisect_left(spans, (low, 0))
    return place < len(spans) and spans[place][1] <= high


def _size(between: str, cue: CueEntry) -> int:
    return len(between.split()) if cue.language == "en" else len(between.strip())
