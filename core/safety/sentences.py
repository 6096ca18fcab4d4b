"""Where sentences and clauses end, in normalised text of either language."""

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence

_MARK = re.compile(r"[。!?\n]+|\.+")
_CLAUSE_END = re.compile(r"[,;:()\[\]{}—|•·]| -+ |--+|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_ANY_MARK = re.compile(r"[。!?\n.,;:()\[\]{}—|•·-]|[\u4e00-\u9fff] ")
_LAST_WORD = re.compile(r"[a-z.]+$")


def sentence_ends(text: str, abbreviations: Collection[str] = ()) -> list[int]:
    """Where each sentence ends (exclusive, its mark included), in order; the last is the text's length."""
    marks = _MARK.finditer(text)
    ends = [mark.end() for mark in marks if mark.group() != "." or _is_full_stop(text, mark.start(), abbreviations)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return ends


def _is_full_stop(text: str, place: int, abbreviations: Collection[str]) -> bool:
    """Whether the point ends a sentence; not in `39.5`, `y.o`, nor behind an abbreviation."""
    before, after = text[max(0, place - 2) : place], text[place + 1 : place + 2]
    if after.isdigit():
        return not before[-1:].isdigit()
    if after and is_letter(after):
        return not (before and is_letter(before[-1]) and (len(before) == 1 or not is_letter(before[0])))
    word = _LAST_WORD.search(text[max(0, place - 12) : place])
    return not (after == " " and word and word.group() in abbreviations)


def is_letter(character: str) -> bool:
    """Whether it is an ASCII letter."""
    return character.isascii() and character.isalpha()


def sentence_at(ends: Sequence[int], place: int) -> tuple[int, int]:
    """Start and end of the sentence that holds this place."""
    number = bisect_right(ends, place)
    return (ends[number - 1] if number else 0), (ends[number] if number < len(ends) else ends[-1])


def ends_clause(between: str) -> bool:
    """Whether a clause or a sentence ends in this stretch, which stands inside a line of words."""
    if _ANY_MARK.search(between) is None:
        return False
    return _CLAUSE_END.search(between) is not None or len(sentence_ends(f"x{between}x")) > 1


def clause_marks(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """Place and form of each mark between clauses, from `start` to `end`."""
    marks = _CLAUSE_END.finditer(text, start, min(end + 1, len(text)))  # one more, for what a blank stands before
    return [(mark.start(), mark.group()) for mark in marks if mark.start() < end]
