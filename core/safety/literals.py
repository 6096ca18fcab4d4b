"""Literal parts of a regular expression: if none of them is in a text, the expression isn't either.

The idea is that of code search (Cox 2012, “Regular Expression Matching with a Trigram Index”): of all the places where
an expression must be literal, the most telling one is taken.
"""

from collections.abc import Sequence

# Nothing public gives the tree of an expression; tried with Python 3.11, 3.12 and 3.13.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

MOST = 300  # literals of one expression
MOST_OF_CLASS = 16  # characters of a class, such as [0-9], that are written out
MOST_REPEATS = 2
Tree = Sequence[tuple[Any, Any]]


def literal_parts(pattern: str) -> list[frozenset[str]]:
    """At most two sets of texts; every match holds one of each. The most telling set comes first."""
    return sorted(set(_needed(_parser.parse(pattern))), key=_telling, reverse=True)[:2]


def _needed(tree: Tree) -> list[frozenset[str]]:
    """Sets of texts of which each match holds one, each from another place of the expression."""
    found: list[frozenset[str]] = []
    run: frozenset[str] = frozenset({""})  # what stands, without a gap, in front of the next element
    for element in tree:
        exact = _exact([element])
        if exact is not None and len(run) * len(exact) <= MOST:
            run = frozenset(before + after for before in run for after in exact)
            continue
        found.append(run)
        run = exact if exact is not None else frozenset({""})
        if exact is None:
            found += _needed_of(element)
    found.append(run)
    return [texts for texts in found if texts and "" not in texts and len(texts) <= MOST]


def _needed_of(element: tuple[Any, Any]) -> list[frozenset[str]]:
    code, argument = element
    if code is op.SUBPATTERN:
        return _needed(argument[-1])
    if code in (op.MAX_REPEAT, op.MIN_REPEAT) and argument[0] > 0:
        return _needed(argument[2])
    if code is op.BRANCH:
        each = [max(_needed(branch), key=_telling, default=frozenset[str]()) for branch in argument[1]]
        return [frozenset().union(*each)] if all(each) else []
    return []


def _exact(tree: Tree) -> frozenset[str] | None:
    """Every text that matches, where they are few."""
    texts: frozenset[str] = frozenset({""})
    for element in tree:
        found = _exact_of(element)
        if found is None or len(texts) * len(found) > MOST:
            return None
        texts = frozenset(before + after for before in texts for after in found)
    return texts


def _exact_of(element: tuple[Any, Any]) -> frozenset[str] | None:
    code, argument = element
    if code is op.LITERAL:
        return frozenset({chr(argument)})
    if code is op.AT:
        return frozenset({""})
    if code is op.IN:
        return _characters(argument)
    if code is op.SUBPATTERN:
        return _exact(argument[-1])
    if code is op.BRANCH:
        each = [_exact(branch) for branch in argument[1]]
        return None if None in each else frozenset().union(*(texts for texts in each if texts))
    if code in (op.MAX_REPEAT, op.MIN_REPEAT) and argument[1] <= MOST_REPEATS:
        body = _exact(argument[2])
        return None if body is None else _repeated(body, argument[0], argument[1])
    return None


def _repeated(body: frozenset[str], low: int, high: int) -> frozenset[str] | None:
    texts, found = frozenset({""}), frozenset({""} if low == 0 else ())
    for times in range(1, high + 1):
        if len(texts) * len(body) > MOST:
            return None
        texts = frozenset(before + after for before in texts for after in body)
        found |= texts if times >= low else frozenset()
    return found


def _characters(members: Tree) -> frozenset[str] | None:
    found: set[str] = set()
    for code, argument in members:
        if code is op.LITERAL:
            found.add(chr(argument))
        elif code is op.RANGE and argument[1] - argument[0] < MOST_OF_CLASS:
            found.update(map(chr, range(argument[0], argument[1] + 1)))
        else:
            return None
    return frozenset(found) if len(found) <= MOST_OF_CLASS else None


def _telling(texts: frozenset[str]) -> tuple[int, int]:
    """How much a set says: the more the longer its shortest text is, then the fewer they are."""
    return min(map(_weight, texts)), -len(texts)


def _weight(text: str) -> int:
    """A Chinese character says as much as two Latin letters."""
    return sum(1 if character.isascii() else 2 for character in text)
