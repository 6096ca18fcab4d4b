"""Regular expressions of the rules: RE2, whose time grows with the text alone."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

# Nothing public gives the tree of an expression; tried with Python 3.11, 3.12 and 3.13.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import ahocorasick
import numpy as np
import re2

from core.safety.folding import LONGER, fold_table
from core.safety.literals import literal_parts
from core.safety.terms import MOST_PLACES, Places, Span

_ESCAPED = re.compile(r"\\p\{\w+\}|\\.|\(\?P<\w+>")
_ENDLESS_GROUP = re.compile(r"\)(?:[*+]|\{[0-9]*,\}|\{[0-9]*,?[0-9]{2,}\})")
_LOOKS_BACK, _LOOKS_AHEAD = ("(^|", "(?:^|"), "|$)"
_FOUND = "found"  # the group around what a pattern finds, without what it looks at around it
_MARKS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]")  # escapes and classes are taken whole
_SENTENCE_END = re.compile(r"[\n。!?]|\.(?= )")
LONG_PART, OVERLAP = 1000, 200  # characters
SET_SIZE = 16  # patterns; the automaton of many grows large
ENDLESS = 64  # as many repetitions are as good as any number


class PatternSet:
    """Patterns that are searched together: only those whose literal parts are there are tried.

    Args:
        patterns: pairs of the caller's number and a pattern in RE2's syntax.

    Raises:
        BadPattern: RE2 doesn't know its syntax, it matches the empty text, it holds a letter that normal form never
            has, or it nests repetitions, which takes other engines an endless time (`(a+)+`).
    """

    def __init__(self, patterns: Sequence[tuple[int, str]]) -> None:
        self._targets = [target for target, _ in patterns]
        self._patterns = [pattern for _, pattern in patterns]
        self._each = [_compiled(place, pattern) for place, pattern in enumerate(self._patterns)]
        self._hints = ahocorasick.Automaton()
        self._single = 0  # as bits: patterns of which one literal part is enough
        loose = self._add_hints()
        self._sets = [self._set(loose[start : start + SET_SIZE]) for start in range(0, len(loose), SET_SIZE)]

    def _add_hints(self) -> list[int]:
        """Make the automaton of literal parts; the patterns that have no telling ones are given back."""
        hints: dict[str, list[int]] = {}
        loose: list[int] = []
        for place, pattern in enumerate(self._patterns):
            parts = literal_parts(pattern)
            if not parts or not all(map(_is_telling, parts[0])):
                loose.append(place)
                continue
            for number, part in enumerate(parts):
                for literal in part:
                    hints.setdefault(literal, [0, 0])[number] |= 1 << place
            self._single |= (1 << place) if len(parts) == 1 else 0
        for literal, masks in hints.items():
            self._hints.add_word(literal, tuple(masks))
        self._hints.make_automaton()
        return loose

    def _set(self, places: Sequence[int]) -> tuple[Sequence[int], Any]:
        """Patterns without a telling literal part, to be tried together, and their places."""
        together = re2.Set.SearchSet(_options())
        for place in places:
            together.Add(_in_lines(self._patterns[place]))
        together.Compile()
        return places, together

    def find(self, text: str) -> Places:
        """Where every pattern matches without cutting a word or a number, by its number; of very many the first."""
        found: Places = {}
        for first, last in _parts(text) if self._patterns else ():
            part = text[first:last]
            data = part.encode()
            characters = _characters(data) if len(data) > len(part) else None
            for place in self._likely(part, data):
                spans = found.setdefault(self._targets[place], [])
                for match in islice(self._each[place].finditer(data), max(0, MOST_PLACES + 1 - len(spans))):
                    start, end = match.span(match.re.groupindex.get(_FOUND, 0))
                    if characters is not None:
                        start, end = characters[start], characters[end]
                    if start < end and _stands_alone(part, start, end, self._patterns[place]):
                        spans.append((first + start, first + end))
        return {target: spans for target, spans in found.items() if spans}

    def _likely(self, text: str, data: bytes) -> list[int]:
        """Patterns that match, or whose literal parts are there."""
        likely = [places[found] for places, together in self._sets for found in together.Match(data) or ()]
        first, second = 0, self._single  # a bit for each pattern: one operation for all of them
        if self._hints:
            for _, (mask, other) in self._hints.iter(text):
                first |= mask
                second |= other
        both = first & second
        while both:
            lowest = both & -both
            likely.append(lowest.bit_length() - 1)
            both ^= lowest
        return likely


class BadPattern(ValueError):
    """A pattern that can't be used.

    Attributes:
        place: which one, counted from 0.
    """

    def __init__(self, place: int, why: str) -> None:
        super().__init__(why)
        self.place = place


def _compiled(place: int, pattern: str) -> Any:  # noqa: ANN401 - the library has no types
    try:
        compiled = re2.compile(_in_lines(pattern), _options())
        _check(pattern)
    except (re2.error, re.error) as error:
        raise BadPattern(place, f"is no pattern of RE2: {_words(error)}") from None
    except ValueError as error:
        raise BadPattern(place, str(error)) from None
    if compiled.search(b"") is not None:
        raise BadPattern(place, "matches the empty text")
    return compiled


def _check(pattern: str) -> None:
    """Refuse nested repetitions, and letters that are never in normalised texts: capital and traditional ones."""
    table = fold_table()
    for character in set(_ESCAPED.sub("", pattern)):
        form = chr(table[ord(character)]) if table[ord(character)] < LONGER else character
        if character.isalpha() and form.isalpha() and form != character:
            raise ValueError(f"holds {character}, which normal form writes {form}")
    if _ENDLESS_GROUP.search(pattern) and _nests(_parser.parse(pattern), within=False):
        raise ValueError("repeats a group that repeats or has alternatives (catastrophic backtracking)")


def _is_telling(literal: str) -> bool:
    """Whether few texts hold it: two letters, or one Chinese character."""
    return len(literal) > 1 or not literal.isascii()


def _in_lines(pattern: str) -> str:
    """The pattern with `^` and `$` for the ends of lines, and a group around what it finds."""
    return f"(?m){_located(pattern)}"


def _parts(text: str) -> Iterator[Span]:
    """A long text in parts that end with a sentence, so that each is tried for the few patterns that it may hold."""
    start = 0
    while len(text) - start > LONG_PART:
        end = _SENTENCE_END.search(text, start + LONG_PART // 2, start + LONG_PART)
        stop = end.end() if end else start + LONG_PART
        yield start, stop
        start = stop if end else stop - OVERLAP
    yield start, len(text)


def _located(pattern: str) -> str:
    """The pattern with a group around what it finds, where `(^|[^0-9])` or `([^0-9]|$)` looks at what is beside it."""
    groups = _top_groups(pattern)
    if not groups:
        return pattern
    first = groups[0][1] if pattern.startswith(_LOOKS_BACK) else 0
    last = groups[-1][0] if pattern.endswith(_LOOKS_AHEAD) else len(pattern)
    if first >= last or pattern[first : first + 1] in ("?", "*", "+", "{"):
        return pattern
    return f"{pattern[:first]}(?P<{_FOUND}>{pattern[first:last]}){pattern[last:]}"


def _top_groups(pattern: str) -> list[Span]:
    """Where the outermost groups stand; none where an alternative stands outside of groups."""
    groups: list[Span] = []
    depth = start = 0
    for mark in _MARKS.finditer(pattern):
        if mark.group() == "(":
            start = start if depth else mark.start()
            depth += 1
        elif mark.group() == ")":
            depth -= 1
            groups += [] if depth else [(start, mark.end())]
        elif mark.group() == "|" and not depth:
            return []
    return groups


def _options() -> Any:  # noqa: ANN401 - the library has no types
    options = re2.Options()
    options.log_errors = False
    return options


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _nests(tree: Any, *, within: bool) -> bool:  # noqa: ANN401 - the parser's own tree
    """Whether something without a fixed form stands in an endless repetition."""
    for code, argument in tree:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            low, high, body = argument
            if (within and low != high) or _nests(body, within=within or high >= ENDLESS):
                return True
        elif code is op.BRANCH:
            if within or any(_nests(branch, within=within) for branch in argument[1]):
                return True
        elif code is op.SUBPATTERN and _nests(argument[-1], within=within):
            return True
    return False


def _characters(data: bytes) -> list[int]:
    """The place of each byte's character in the text, and the text's length."""
    first = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    return np.append(np.cumsum(first) - 1, first.sum()).tolist()


def _stands_alone(text: str, start: int, end: int, pattern: str) -> bool:
    """Whether the match cuts no number and no Latin word; a pattern that looks around itself has seen to that."""
    cuts_start = start > 0 and _same_kind(text[start - 1], text[start]) and not pattern.startswith(_LOOKS_BACK)
    cuts_end = end < len(text) and _same_kind(text[end - 1], text[end]) and not pattern.endswith(_LOOKS_AHEAD)
    return not cuts_start and not cuts_end


def _same_kind(left: str, right: str) -> bool:
    if not (left.isascii() and right.isascii()):
        return False
    return (left.isdigit() and right.isdigit()) or (left.isalpha() and right.isalpha())
