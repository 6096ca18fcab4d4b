"""What happens to a text before it travels: cleaned once, measured in estimated tokens, cut if it is too long."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SEPARATOR = " … "  # stands where the middle of an over-long text was
SPECIAL_TOKENS = 6  # start and end, and the few that a server's own prefix ("passage: ") takes
UNIT = 16  # token costs are kept in sixteenths

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]")
_JOINS = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\u20d0-\u20f0\U0001f3fb-\U0001f3ff]")


def clean(text: str) -> str:
    """The text in NFC with line ends as newlines, without NUL, control characters and lone surrogates, stripped.

    Newlines and tabs stay. Cleaning twice changes nothing.
    """
    if not text.isascii() or not text.isprintable():
        text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
        text = unicodedata.normalize("NFC", text)
    return text.strip()


def has_words(text: str) -> bool:
    """Whether the text holds a letter, a digit or a CJK character; blanks, marks and emoji alone are no note."""
    return _WORD.search(text) is not None


def estimate_tokens(text: str) -> int:
    """Tokens that the text takes at most, for Qwen3's byte-pair and XLM-R's sentencepiece tokenizers, special ones too.

    An upper estimate by kind of character, not a count: plain English and Chinese are put about 40 % too high.
    """
    return int(estimates([text])[0])


def estimates(texts: Sequence[str]) -> NDArray[np.int64]:
    """As `estimate_tokens`, for many texts at once, shape (n,)."""
    lengths = np.array([len(text) for text in texts], np.int64)
    costs = np.concatenate(([0], np.cumsum(_costs("".join(texts)), dtype=np.int64)))
    ends = np.cumsum(lengths)
    return np.asarray(SPECIAL_TOKENS - (costs[ends - lengths] - costs[ends]) // UNIT)


def cut(text: str, max_tokens: int) -> tuple[str, bool]:
    """The text within `max_tokens` estimated tokens, and whether it had to be cut.

    Head and tail stay, half each, with an ellipsis between: complaints open a note, orders and follow-up close it.
    A text too short to cut (fewer tokens than the ellipsis takes) comes back empty.
    """
    if len(text) * 4 + SPECIAL_TOKENS <= max_tokens or estimate_tokens(text) <= max_tokens:
        return text, False
    budget = (max_tokens - estimate_tokens(SEPARATOR)) * UNIT
    if budget < UNIT:
        return "", True
    costs = np.cumsum(_costs(text), dtype=np.int64)
    head = int(np.searchsorted(costs, budget // 2, side="right"))
    left = budget - (int(costs[head - 1]) if head else 0)
    tail = int(np.searchsorted(costs, costs[-1] - left, side="left")) + 1
    return _whole(text, head, tail), True


def _whole(text: str, head: int, tail: int) -> str:
    """Head and tail, moved outwards where a cut would part a character from its marks."""
    while head > 0 and _holds_together(text[head - 1 : head + 1]):
        head -= 1
    while tail < len(text) and _holds_together(text[tail - 1 : tail + 1]):
        tail += 1
    return f"{text[:head].rstrip()}{SEPARATOR}{text[tail:].lstrip()}"


def _holds_together(pair: str) -> bool:
    """Whether two neighbours are one character to the eye: a mark after its base, or joined emoji."""
    return pair[0] == "\u200d" or _JOINS.match(pair, 1) is not None


def _costs(text: str) -> NDArray[np.uint8]:
    """Each character's cost in sixteenths of a token."""
    if text.isascii():
        return _table()[np.frombuffer(text.encode("ascii"), np.uint8)]
    return _table()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """Sixteenths of a token by code point."""
    table = np.full(0x110000, 4 * UNIT, np.uint8)  # beyond the basic plane: four bytes, so four tokens at most
    table[0x80:0x800] = 2 * UNIT
    table[0x800:0x10000] = 3 * UNIT
    table[0x00:0x80] = UNIT
    table[ord("a") : ord("z") + 1] = 6  # a word of n letters: the blank before it and 0.38 n
    table[ord("A") : ord("Z") + 1] = 14
    table[ord(" ")] = 6
    table[0xC0:0x250] = 18  # letters with accents
    table[0x370:0x530] = 14  # Greek and Cyrillic
    table[0xAC00:0xD7A4] = 2 * UNIT
    table[0x3000:0x3100] = table[0xFF00:0xFFF0] = 18  # Chinese punctuation, full-width forms and kana
    common = bytes(byte for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF) for byte in (row, cell))
    frequent = np.frombuffer(common.decode("gb2312", "ignore").encode("utf-32-le"), np.uint32)
    table[frequent] = 17
    table.flags.writeable = False
    return table
