"""A note as identifiers are looked for in it: width, accents and script folded, capitals kept; places lead back."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import re2
from numpy.typing import NDArray

from core.safety.folding import DROPPED, LONGER, fold_table
from core.safety.normalise import whole_word
from core.safety.terms import Span

MASKED = "\ufffc"  # stands for what is masked already: no pattern reads over it
_AS_WRITTEN = "_＿~\n\r"
_CASED = ((0x41, 0x2000), (0xFF21, 0xFF3B), (0x1D400, 0x1D800))
Offsets = NDArray[np.int64]


@dataclass(frozen=True)
class Page:
    """A text to look through.

    Attributes:
        text: folded.
        starts: for each of its characters, where what it stands for begins in the text as written.
        ends: and where that ends (exclusive).
    """

    text: str
    starts: Offsets
    ends: Offsets

    @classmethod
    def of(cls, text: str) -> "Page":
        """The page of a text as written."""
        codes = _table()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]
        starts: Offsets = np.flatnonzero(codes != DROPPED).astype(np.int64)
        return cls(codes[starts].tobytes().decode("utf-32-le"), starts, starts + 1)

    @cached_property
    def data(self) -> bytes:
        """The text as RE2 reads it."""
        return self.text.encode()

    def characters(self, places: Span) -> Span:
        """The stretch of the text that a stretch of `data` is."""
        if len(self.data) == len(self.text):
            return places
        return int(self._characters[places[0]]), int(self._characters[places[1]])

    def written(self, span: Span) -> Span:
        """The stretch of the text as written that a stretch of `text` stands for."""
        return int(self.starts[span[0]]), int(self.ends[span[1] - 1])

    def without(self, spans: Sequence[Span]) -> "Page":
        """With one `MASKED` in place of each stretch; they are in order and do not overlap."""
        texts: list[str] = []
        kept: list[Offsets] = []
        kept_ends: list[Offsets] = []
        done = 0
        for start, end in spans:
            texts += [self.text[done:start], MASKED]
            kept += [self.starts[done : start + 1]]
            kept_ends += [self.ends[done:start], self.ends[end - 1 : end]]
            done = end
        text = "".join([*texts, self.text[done:]])
        return Page(text, np.concatenate([*kept, self.starts[done:]]), np.concatenate([*kept_ends, self.ends[done:]]))

    @cached_property
    def _characters(self) -> Offsets:
        leads = (np.frombuffer(self.data, np.uint8) & 0xC0) != 0x80
        return np.concatenate(([0], np.cumsum(leads)))


_RUN = re.compile(rb"[0-9A-Za-z]+|[^0-9A-Za-z]")
Check = Callable[[str, int, int], Span | None]  # text, start and end of what a pattern found: what of it counts


@dataclass(frozen=True, slots=True)
class Shape:
    """What an identifier of a kind looks like.

    Attributes:
        kind: which.
        pattern: in RE2's syntax, tried on folded text; its group `v` is the identifier.
        check: looks closer.
    """

    kind: str
    pattern: str
    check: Check

    def find(self, page: Page) -> Iterator[Span]:
        """Each stretch of the page's text that is one; where the check refuses, the search goes on a word later."""
        pattern, place = compiled(self.pattern), 0
        while (match := pattern.search(page.data, place)) is not None:
            span = self.check(page.text, *page.characters(match.span(pattern.groupindex["v"])))
            if span is not None:
                yield span
            run = _RUN.match(page.data, match.start())
            place = match.end() if span or run is None else run.end()


def alone(text: str, start: int, end: int) -> Span | None:
    """The stretch, if no Latin letter or digit of it goes on outside of it."""
    return (start, end) if whole_word(text, start, end) else None


@cache
def compiled(pattern: str) -> Any:  # noqa: ANN401 - the library has no types
    """The pattern, to be tried on bytes."""
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile(pattern, options)


@cache
def _table() -> NDArray[np.uint32]:
    """The rules' table of characters, but capitals stay, and so do characters that would become several."""
    table = fold_table().copy()
    for first, last in _CASED:
        for code in range(first, last):
            if chr(code).isupper() and ord("a") <= table[code] <= ord("z"):
                table[code] -= 32
    kept = np.flatnonzero((table >= LONGER) & (table != DROPPED))
    table[kept] = kept
    for character in _AS_WRITTEN:
        table[ord(character)] = ord(character)
    table[ord("＿")] = ord("_")
    table[ord("\r")] = ord("\n")
    table.flags.writeable = False
    return table
