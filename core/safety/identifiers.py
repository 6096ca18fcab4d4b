"""Identifiers in a note's text, and the note with placeholders in their place.

It finds names beside titles and labels, numbers, e-mail and postal addresses and dates of birth, in Chinese and
English; `identifier_kinds.py` lists the kinds. A name without title or label it does not find, so a masked note may
still name a person: masking makes it safer to look at, not anonymous.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.language import chinese_shares
from core.safety import identifier_names, identifier_numbers, identifier_places
from core.safety.identifier_kinds import KINDS, PLACEHOLDERS, placeholder
from core.safety.identifier_text import Page
from core.safety.terms import Tongue

SHAPES = (*identifier_numbers.SHAPES, *identifier_places.SHAPES, *identifier_names.SHAPES)
ROUNDS = 6  # what is masked may leave something free beside it; texts that are written need two rounds
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something in a text that leads to a person.

    Attributes:
        kind: which, of `KINDS`.
        start: where it begins, in code points of the text as written.
        end: where it ends (exclusive).
    """

    kind: str
    start: int
    end: int


def find_identifiers(text: str) -> tuple[Identifier, ...]:
    """Every identifier in the text, in order; no two overlap. Placeholders are none."""
    page = Page.of(text)
    page = page.without([page.characters(match.span()) for match in PLACEHOLDERS.finditer(page.data)])
    found: list[Identifier] = []
    for _ in range(ROUNDS):
        new = _merged((shape.kind, *span) for shape in SHAPES for span in shape.find(page))
        if not new:
            break
        found += [Identifier(one.kind, *page.written((one.start, one.end))) for one in new]
        page = page.without([(one.start, one.end) for one in new])
    return tuple(sorted(found, key=lambda one: one.start))


def mask(text: str) -> str:
    """The text with a placeholder for each identifier, in the language that most of it is written in.

    What is masked already stays as it is, so that masking twice is masking once.
    """
    found = find_identifiers(text)
    if not found:
        return text
    tongue: Tongue = "zh" if chinese_shares([text])[0] >= 0.5 else "en"
    parts: list[str] = []
    done = 0
    for one in found:
        parts += [text[done : one.start], placeholder(one.kind, tongue)]
        done = one.end
    return "".join([*parts, text[done:]])


def _merged(found: Iterable[tuple[str, int, int]]) -> list[Identifier]:
    """Those that overlap as one, called after the longest of them."""
    merged: list[Identifier] = []
    longest = 0
    for kind, start, end in sorted(found, key=lambda one: (one[1], -one[2], _RANK[one[0]])):
        if merged and start < merged[-1].end:
            last = merged[-1]
            if end - start > longest:
                longest, kind_of_all = end - start, kind
            else:
                kind_of_all = last.kind
            merged[-1] = Identifier(kind_of_all, last.start, max(last.end, end))
        else:
            longest = end - start
            merged.append(Identifier(kind, start, end))
    return merged
