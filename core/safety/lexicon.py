"""Where a text has the words of rules: many terms at once, whatever their number."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import ahocorasick

from core.safety.normalise import LATIN
from core.safety.sentences import ends_clause
from core.safety.terms import GAP_CHARACTERS, GAP_WORDS, MOST_PLACES, Piece, Places, Span, Tongue

FARTHEST_PIECE = 120  # characters from one piece's start to the next one's
GAP_WINDOW: Mapping[Tongue, int] = {"en": 80, "zh": GAP_CHARACTERS}


@dataclass(frozen=True, slots=True)
class _Chain:
    """A term of several pieces: their numbers in order, which of them follow right away, and the same as a set."""

    target: int
    tongue: Tongue
    pieces: tuple[int, ...]
    follows: tuple[bool, ...]
    needs: frozenset[int]


_Meaning = tuple[tuple[int, ...], tuple[int, ...]]  # targets of terms that are a text alone, numbers of pieces


# What stands behind a text in the automaton: its length, whether a Latin letter or digit begins it, whether one ends
# it, what it means where its last word ends, and what it means where that word goes on (none: nothing).
_Entry = tuple[int, bool, bool, _Meaning, _Meaning | None]


_NOTHING: _Meaning = ((), ())
_NO_TARGETS: tuple[dict[int, None], dict[int, None]] = ({}, {})


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms in a text, by target.

    Attributes:
        alone: those without a gap.
        chained: those of several pieces.
        openings: the first pieces of these.
    """

    alone: Places = field(default_factory=lambda: defaultdict(list))
    chained: Places = field(default_factory=lambda: defaultdict(list))
    openings: Places = field(default_factory=lambda: defaultdict(list))


class Lexicon:
    """Finds terms in normalised texts; a target is the caller's number for what a term means.

    Example::

        lexicon = Lexicon()
        lexicon.add(0, "en", parse_terms(["chest pain"], normaliser))
        lexicon.ready()
        lexicon.find("crushing chest pain")  # Terms(alone={0: [(9, 19)]})
    """

    def __init__(self) -> None:
        self._alone: dict[str, tuple[dict[int, None], dict[int, None]]] = {}  # by text: closed and open targets
        self._pieces: dict[tuple[str, bool], int] = {}
        self._chains: dict[int, list[_Chain]] = {}  # by the number of their longest piece
        self._automaton = ahocorasick.Automaton()

    def add(self, target: int, tongue: Tongue, terms: Iterable[tuple[Piece, ...]]) -> None:
        """Register terms."""
        for term in terms:
            if len(term) == 1:
                text, is_open, _ = term[0]
                if text not in self._alone:
                    self._alone[text] = ({}, {})
                self._alone[text][is_open][target] = None
                continue
            numbers = tuple(self._pieces.setdefault((piece.text, piece.open), len(self._pieces)) for piece in term)
            longest = max(zip(term, numbers, strict=True), key=lambda one: len(one[0].text))[1]
            chain = _Chain(target, tongue, numbers, tuple(piece.follows for piece in term), frozenset(numbers))
            self._chains.setdefault(longest, []).append(chain)

    def ready(self) -> None:
        """Make the automaton; nothing can be added afterwards."""
        pieces: dict[str, _Meaning] = {}
        for (text, is_open), number in self._pieces.items():
            narrow, wide = pieces.get(text, _NOTHING)
            pieces[text] = (narrow, (number,)) if is_open else ((number,), wide)
        for text in self._alone.keys() | pieces.keys():
            closed, opened = self._alone.get(text, _NO_TARGETS)
            self._automaton.add_word(text, _entry(text, tuple(closed), tuple(opened), *pieces.get(text, _NOTHING)))
        self._automaton.make_automaton()

    def find(self, text: str) -> Terms:
        """Where every term in the text stands."""
        found = Terms()
        if not self._automaton:
            return found
        alone, pieces, size = found.alone, defaultdict[int, list[Span]](list), len(text)
        for last, (length, latin_start, latin_end, meaning, going_on) in self._automaton.iter(text):
            end = last + 1
            start = end - length
            if latin_start and start and text[start - 1] in LATIN:
                continue
            if latin_end and end < size and text[end] in LATIN:
                if going_on is None:
                    continue
                meaning, end = going_on, _word_end(text, end)
            for target in meaning[0]:
                alone[target].append((start, end))
            for number in meaning[1]:
                pieces[number].append((start, end))
        for chain, first_end, span in self._chained(text, pieces):
            found.chained[chain.target].append(span)
            found.openings[chain.target].append((span[0], first_end))
        return found

    def _chained(self, text: str, pieces: Mapping[int, Sequence[Span]]) -> Iterator[tuple[_Chain, int, Span]]:
        """Terms of several pieces, where their first piece ends, and where they stand."""
        for number in pieces:
            for chain in self._chains.get(number, ()):
                if chain.needs <= pieces.keys():
                    for first_end, span in islice(_along(chain, pieces, text), MOST_PLACES + 1):
                        yield chain, first_end, span


def _entry(
    text: str,
    targets: tuple[int, ...],
    wide_targets: tuple[int, ...],
    numbers: tuple[int, ...],
    wide_numbers: tuple[int, ...],
) -> _Entry:
    edges = (len(text), text[0] in LATIN, text[-1] in LATIN)
    if not wide_targets and not wide_numbers:
        return *edges, (targets, numbers), None
    both = tuple(dict.fromkeys(targets + wide_targets))
    return *edges, (both, numbers + wide_numbers), (wide_targets, wide_numbers)


def _along(chain: _Chain, pieces: Mapping[int, Sequence[Span]], text: str) -> Iterable[tuple[int, Span]]:
    """Where the first piece ends, and where all stand in their order, near enough."""
    second, limit = pieces[chain.pieces[1]], GAP_WINDOW[chain.tongue] + 2
    for start, first_end in _starts(chain, pieces):
        place = bisect_left(second, (first_end, 0))
        if place == len(second) or second[place][0] - first_end > limit:
            continue  # by far the most frequent case
        ends = {first_end}
        for number, follows in zip(chain.pieces[1:], chain.follows[1:], strict=True):
            ends = {stop for end in ends for stop in _next(pieces[number], end, follows, chain.tongue, text)}
        if ends:
            yield first_end, (start, min(ends))


def _starts(chain: _Chain, pieces: Mapping[int, Sequence[Span]]) -> Sequence[Span]:
    """The places of the first piece; where it is frequent, only those before the rarest one."""
    starts = pieces[chain.pieces[0]]
    rarest = min((pieces[number] for number in chain.pieces[1:]), key=len)
    if len(starts) <= 4 * len(rarest):
        return starts
    window = len(chain.pieces) * FARTHEST_PIECE
    near: dict[Span, None] = {}
    for start, _ in rarest:
        near.update(dict.fromkeys(starts[bisect_left(starts, (start - window, 0)) : bisect_left(starts, (start, 0))]))
    return list(near)


def _next(spans: Sequence[Span], end: int, follows: bool, tongue: Tongue, text: str) -> Iterable[int]:
    """Ends of the spans that begin near enough behind `end`."""
    farthest = end + (1 if follows else GAP_WINDOW[tongue] + 2)
    for place in range(bisect_left(spans, (end, 0)), len(spans)):
        start, stop = spans[place]
        if start > farthest:
            return
        between = text[end:start]
        if (between in ("", " ")) if follows else _is_gap(between, tongue):
            yield stop


def _is_gap(between: str, tongue: Tongue) -> bool:
    if ends_clause(between):
        return False
    if tongue == "zh":
        return len(between.strip()) <= GAP_CHARACTERS
    return len(between.split()) <= GAP_WORDS


def _word_end(text: str, end: int) -> int:
    while end < len(text) and (text[end] in LATIN or text[end] == "'"):
        end += 1
    return end
