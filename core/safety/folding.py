"""One table for characters that mean the same: width, case, accents, traditional Chinese, dashes, blanks."""

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

DROPPED = 0xFFFFFFFF
LONGER = 0x110000  # codes from here on: the place in `longer_forms` of what the character becomes

_COMPATIBLE = ((0x80, 0x3400), (0xF900, 0xFB50), (0xFE10, 0xFFF0), (0x1D400, 0x1D800), (0x2F800, 0x2FA20))
_HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000))
_UNSEEN = (
    (0x00, 0x09), (0x0E, 0x20), (0x7F, 0xA0), (0xAD, 0xAE), (0x300, 0x370), (0x180B, 0x180F), (0x1AB0, 0x1B00),
    (0x1DC0, 0x1E00), (0x200B, 0x2010), (0x202A, 0x202F), (0x2060, 0x2070), (0x20D0, 0x2100), (0xFE00, 0xFE10),
    (0xFE20, 0xFE30), (0xFEFF, 0xFF00), (0x1F3FB, 0x1F400), (0xE0000, 0xE0FFF),
)  # fmt: skip
_SAME = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9`\u00b4\uff07",
    '"': "\u201c\u201d\u201e\u2033\u00ab\u00bb「」『』\u300a\u300b\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2212\uff0d\ufe63",
    "—": "\u2014\u2015\u2e3a\u2e3b\ufe58",
    "°": "\u00ba\u02da",
    "~": "\u301c\uff5e\u223c",
    "。": "\uff61\u2026\u22ef",
    "\n": "\r\x0b\x0c\x85\u2028\u2029",
    " ": "\t_\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "、": "\ufe45\uff64",
}


@cache
def fold_table() -> NDArray[np.uint32]:
    """What each code point becomes: a code point, `DROPPED`, or a place in `longer_forms` plus `LONGER`."""
    table = np.arange(0x110000, dtype=np.uint32)
    table[ord("A") : ord("Z") + 1] += 32
    for place, code in enumerate(_longer()):
        table[code] = LONGER + place
    for code, form in _single_forms():
        table[code] = form
    for first, last in _HAN:
        table[first:last] = _simplified(first, last)
    for first, last in _UNSEEN:
        table[first:last] = DROPPED
    for usual, others in _SAME.items():
        table[[ord(other) for other in others]] = ord(usual)
    table[0xD800:0xE000] = ord(" ")
    table.flags.writeable = False
    return table


@cache
def longer_forms() -> tuple[str, ...]:
    """What the characters become that become several: `㎎` is `mg`."""
    return tuple(_longer().values())


def _folded(code: int) -> str:
    parts = unicodedata.normalize("NFKD", chr(code))
    return "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Cf")).casefold()


@cache
def _all_forms() -> dict[int, str]:
    changed = ((code, _folded(code)) for first, last in _COMPATIBLE for code in range(first, last))
    return {code: form.strip() or " " for code, form in changed if form != chr(code) and form}


def _longer() -> dict[int, str]:
    return {code: form for code, form in _all_forms().items() if len(form) > 1}


def _single_forms() -> list[tuple[int, int]]:
    return [(code, _simple(ord(form))) for code, form in _all_forms().items() if len(form) == 1]


def _simple(code: int) -> int:
    for first, last in _HAN:
        if first <= code < last:
            return int(_simplified(first, last)[code - first])
    return code


@cache
def _simplified(first: int, last: int) -> NDArray[np.uint32]:
    """Each Chinese character's simplified form, by OpenCC's table; the newlines keep it from reading words."""
    from opencc import OpenCC

    lines = OpenCC("t2s").convert("\n".join(map(chr, range(first, last)))).split("\n")
    forms = [ord(line) if len(line) == 1 else first + place for place, line in enumerate(lines)]
    return np.array(forms, dtype=np.uint32)
