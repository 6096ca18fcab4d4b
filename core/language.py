"""Which language a note is written in, by its script and, for Latin script, nothing more than that."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Language = Literal["zh", "en", "mixed", "other"]

_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
_ANOTHER_SCRIPT = ((0x370, 0x1FFF), (0x3040, 0x30FF), (0xAC00, 0xD7AF))
_IS_HAN, _IS_LATIN, _IS_ANOTHER = 1, 2, 4


def language_of(text: str) -> Language:
    """`zh`, `en`, `mixed` (both in one note) or `other` (neither, or mostly another script).

    Three Latin letters in a row count as a word, so that doses and vital signs (`BP`, `mg`) leave a Chinese note
    Chinese. Other languages in Latin script count as `en`: the script alone can't tell them apart.
    """
    return languages_of([text])[0]


def languages_of(texts: Sequence[str]) -> list[Language]:
    """The language of each text."""
    return [_language(*counts) for counts in _scripts(texts).T.tolist()]


def chinese_shares(texts: Sequence[str]) -> NDArray[np.float64]:
    """How much of each text is Chinese, 0 to 1, shape (n,).

    A Chinese character weighs as much as a Latin word; 0 without either.
    """
    han, words, _ = _scripts(texts)
    return np.asarray(han / np.maximum(han + words, 1))


def _language(han: int, words: int, another: int) -> Language:
    if another > han + 3 * words or han + words == 0:
        return "other"
    if han and words >= max(2, han / 4):
        return "mixed"
    return "zh" if han else "en"


def _scripts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Chinese characters, Latin words and characters of another script in each text, shape (3, n)."""
    lengths = [len(text) + 1 for text in texts]
    joined = "".join(text + "\0" for text in texts).encode("utf-32-le", "surrogatepass")
    kinds = _table()[np.frombuffer(joined, np.uint32)]
    latin = np.concatenate(([False], kinds == _IS_LATIN, [False, False]))
    words = ~latin[:-3] & latin[1:-2] & latin[2:-1] & latin[3:]  # a word begins where three letters do
    starts = np.cumsum([0, *lengths[:-1]]) if lengths else np.zeros(0, np.int64)
    found = (kinds == _IS_HAN, words, kinds == _IS_ANOTHER)
    return np.array([np.add.reduceat(each, starts, dtype=np.int64) for each in found])


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """The script by code point."""
    table = np.zeros(0x110000, np.uint8)
    table[ord("A") : ord("Z") + 1] = table[ord("a") : ord("z") + 1] = _IS_LATIN
    for ranges, kind in ((_HAN, _IS_HAN), (_ANOTHER_SCRIPT, _IS_ANOTHER)):
        for first, last in ranges:
            table[first : last + 1] = kind
    return table
