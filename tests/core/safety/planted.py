"""Lines with identifiers planted in them, and how many of them masking finds; and lines of clinical numbers alone.

All people, addresses and numbers in the data are invented; where a kind of number has a check digit, it is right. A
line marks what it plants: `Call {phone:07700 900142}`. Kinds that begin with `bare_` have neither title nor label:
nothing is promised for them, and nothing asserted.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.safety.identifiers import Identifier, find_identifiers

DATA = Path(__file__).resolve().parents[2] / "data"
_MARK = re.compile(r"\{(\w+):([^{}]*)\}")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


@dataclass(frozen=True, slots=True)
class Line:
    """A text and what it plants; `held_out` lines were left aside until the rules were first measured."""

    text: str
    planted: tuple[Identifier, ...]
    language: str
    held_out: bool

    @property
    def missed(self) -> list[Identifier]:
        """What was planted and has a letter or digit outside of all that is found."""
        found = find_identifiers(self.text)
        seen = {place for one in found for place in range(one.start, one.end)}
        return [
            one
            for one in self.promised
            if any(self.text[place].isalnum() and place not in seen for place in range(one.start, one.end))
        ]

    @property
    def promised(self) -> list[Identifier]:
        """What was planted with a title, a label, or a form that tells."""
        return [one for one in self.planted if not one.kind.startswith("bare_")]


def planted_lines() -> list[Line]:
    """All of them; every second one is held out."""
    return [
        Line(*_read(row["text"]), row["language"], held_out=place % 2 == 1)
        for place, row in enumerate(_rows("identifiers.csv"))
    ]


def recall(lines: list[Line]) -> float:
    """The share of planted identifiers that are found whole."""
    return 1 - sum(len(line.missed) for line in lines) / sum(len(line.promised) for line in lines)


def clinical_texts() -> list[str]:
    """Lines that hold clinical numbers and no identifier."""
    return [row["text"] for row in _rows("clinical_numbers.csv")]


def share_masked(texts: list[str]) -> float:
    """The share of numbers of which something would be masked."""
    hit = numbers = 0
    for text in texts:
        found = find_identifiers(text)
        for number in _NUMBER.finditer(text):
            numbers += 1
            hit += any(one.start < number.end() and number.start() < one.end for one in found)
    return hit / numbers


def _read(marked: str) -> tuple[str, tuple[Identifier, ...]]:
    text, done = "", 0
    planted: list[Identifier] = []
    for mark in _MARK.finditer(marked):
        text += marked[done : mark.start()]
        planted.append(Identifier(mark[1], len(text), len(text) + len(mark[2])))
        text += mark[2]
        done = mark.end()
    return text + marked[done:], tuple(planted)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
