"""A note as the rules read it: folded characters, one blank, common spelling; every place leads back to the note."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from core.safety.folding import DROPPED, LONGER, fold_table, longer_forms

LATIN = frozenset(string.ascii_letters + string.digits)

_BLANK, _HYPHEN = ord(" "), ord("-")
Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text as the rules read it.

    Attributes:
        text: the normal form.
        starts: for each of its characters, where what it stands for begins in the text as written.
        ends: and where that ends (exclusive).
    """

    text: str
    starts: Offsets
    ends: Offsets

    def written(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the text as written (code points, end exclusive) that `start` to `end` stands for."""
        return int(self.starts[start]), int(self.ends[end - 1])


class Normaliser:
    """Brings texts and rules' words into one form.

    Args:
        spelling: misspelling or variant -> usual form. Latin ones are whole words.
    """

    def __init__(self, spelling: Mapping[str, str] | None = None) -> None:
        self._spelling = ahocorasick.Automaton()
        forms = self.words([*(spelling or {}), *(spelling or {}).values()])
        half = len(forms) // 2
        for wrong, right in zip(forms[:half], forms[half:], strict=True):
            if wrong and wrong != right:
                self._spelling.add_word(wrong, (len(wrong), right))
        self._spelling.make_automaton()

    def normalise(self, text: str) -> Normalised:
        """The text in normal form."""
        return self._spelled(_folded(text))

    def words(self, words: Sequence[str]) -> list[str]:
        """Words of a rule in normal form; they hold no newline."""
        if not words:
            return []
        lines = self.normalise("\n".join(words)).text.split("\n")
        if len(lines) != len(words):  # some word holds a line end
            lines = self.normalise("\n".join(" ".join(word.split()) for word in words)).text.split("\n")
        return [line.strip() for line in lines]

    def _spelled(self, folded: Normalised) -> Normalised:
        """With the usual spelling; where two changes overlap, the one that begins first, then the longer one."""
        if not self._spelling:
            return folded
        text = folded.text
        found = [
            (end + 1 - length, end + 1, right)
            for end, (length, right) in self._spelling.iter(text)
            if whole_word(text, end + 1 - length, end + 1)
        ]
        if not found:
            return folded
        return _replaced(folded, sorted(found, key=lambda change: (change[0], -change[1])))


def whole_word(text: str, start: int, end: int) -> bool:
    """Whether no Latin letter or digit of the stretch goes on outside of it."""
    return not (
        (start > 0 and text[start] in LATIN and text[start - 1] in LATIN)
        or (end < len(text) and text[end - 1] in LATIN and text[end] in LATIN)
    )


def _folded(text: str) -> Normalised:
    codes = fold_table()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]
    starts: Offsets = np.arange(len(codes), dtype=np.int64)
    longer = codes >= LONGER
    if longer.any():
        codes, starts = _lengthened(codes, starts, longer)
    codes = _without_hyphens(codes)
    again = np.zeros(len(codes), bool)
    again[1:] = (codes[1:] == _BLANK) & (codes[:-1] == _BLANK)
    if again.any():
        codes, starts = codes[~again], starts[~again]
    return Normalised(codes.tobytes().decode("utf-32-le"), starts, starts + 1)


def _lengthened(
    codes: NDArray[np.uint32], starts: Offsets, longer: NDArray[np.bool_]
) -> tuple[NDArray[np.uint32], Offsets]:
    """Without dropped characters, and with those that stand for several written out."""
    kept = codes != DROPPED
    codes, starts, longer = codes[kept], starts[kept], longer[kept]
    places = np.flatnonzero(longer)
    if not len(places):
        return codes, starts
    forms = [longer_forms()[code - LONGER] for code in codes[places].tolist()]
    lengths = np.ones(len(codes), np.int64)
    lengths[places] = [len(form) for form in forms]
    written = np.repeat(codes, lengths)
    written[np.repeat(longer, lengths)] = np.frombuffer("".join(forms).encode("utf-32-le"), np.uint32)
    return written, np.repeat(starts, lengths)


def _without_hyphens(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A hyphen with a letter beside it joins words: `3-week-old` reads `3 week old`; ranges keep theirs."""
    inner = np.flatnonzero(codes[1:-1] == _HYPHEN) + 1
    if not len(inner):
        return codes
    before, after = codes[inner - 1], codes[inner + 1]
    joins = (_letter(before) & (_letter(after) | _digit(after))) | (_digit(before) & _letter(after))
    codes = codes.copy()
    codes[inner[joins]] = _BLANK
    return codes


def _letter(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return (codes >= ord("a")) & (codes <= ord("z"))


def _digit(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return (codes >= ord("0")) & (codes <= ord("9"))


def _replaced(folded: Normalised, changes: Sequence[tuple[int, int, str]]) -> Normalised:
    """The text with each stretch (start, end) replaced; each new character stands for the whole stretch."""
    texts: list[str] = []
    starts: list[Offsets] = []
    ends: list[Offsets] = []
    done = 0
    for start, end, right in changes:
        if start < done:
            continue
        first, last = folded.written(start, end)
        texts += [folded.text[done:start], right]
        starts += [folded.starts[done:start], np.full(len(right), first, np.int64)]
        ends += [folded.ends[done:start], np.full(len(right), last, np.int64)]
        done = end
    texts.append(folded.text[done:])
    starts.append(folded.starts[done:])
    ends.append(folded.ends[done:])
    return Normalised("".join(texts), np.concatenate(starts), np.concatenate(ends))
