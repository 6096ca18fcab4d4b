"""Which language a note is written in, by its script and, for Latin script, nothing more than that."""

import re
from typing import Literal

Language = Literal["zh", "en", "mixed", "other"]

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{3,}")
_ANOTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]")


def language_of(text: str) -> Language:
    """`zh`, `en`, `mixed` (both in one note) or `other` (neither, or mostly another script).

    Three Latin letters in a row count as a word, so that doses and vital signs (`BP`, `mg`) leave a Chinese note
    Chinese. Other languages in Latin script count as `en`: the script alone can't tell them apart.
    """
    han = len(_HAN.findall(text))
    words = len(_LATIN_WORD.findall(text))
    another = len(_ANOTHER_SCRIPT.findall(text))
    if another > han + 3 * words or han + words == 0:
        return "other"
    if han and words >= max(2, han / 4):
        return "mixed"
    return "zh" if han else "en"


def chinese_share(text: str) -> float:
    """How much of a text is Chinese, 0 to 1: a Chinese character weighs as much as a Latin word; 0 without either."""
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    return han / (han + words) if han else 0.0
