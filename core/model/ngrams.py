"""Hashed counts of character n-grams, for many texts at once.

scikit-learn's `HashingVectorizer(analyzer="char_wb")` counts the same n-grams but makes each one a Python string, which
takes eight times as long and was most of the time of a table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

NGRAM_COLUMNS = 2**16  # a column fits the lower half of a 32-bit key, a row of a block the upper half
LONGEST = 4
BLOCK = 1024  # texts worked on together: what they need stays in the processor's cache
BLANK = np.uint32(ord(" "))
HALF = np.uint32(16)
# Odd constants of the xxHash and MurmurHash3 mixers; never change them, every bundle's coefficients depend on them.
MIX, ROLL = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)

Keys = NDArray[np.uint32]


def hashed_ngrams(texts: Sequence[str]) -> sparse.csr_array:
    """Counts of character 1- to 4-grams, CSR of shape (n, `NGRAM_COLUMNS`), float32, columns sorted.

    Case and the kind of white space don't count. n-grams stay inside a word, the blank on each side of it included.
    """
    blocks = [_counted(texts[start : start + BLOCK]) for start in range(0, len(texts), BLOCK)]
    if not blocks:
        return sparse.csr_array(np.zeros((0, NGRAM_COLUMNS), np.float32))
    counts, columns, sizes = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)  # scikit-learn wants 32 bits
    return sparse.csr_array((counts, columns, starts), shape=(len(texts), NGRAM_COLUMNS))


def _counted(texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """Counts and columns of each text in turn, and how many of them each text has."""
    keys = _keys(texts)
    keys.sort()
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[:1] ^ np.uint32(1)))
    distinct = keys[firsts]
    counts = np.diff(firsts, append=len(keys)).astype(np.float32)
    sizes = np.bincount(distinct >> HALF, minlength=len(texts))
    return counts, (distinct & np.uint32(NGRAM_COLUMNS - 1)).astype(np.int32), sizes


def _keys(texts: Sequence[str]) -> Keys:
    """One key for each n-gram of each text: the text's number in the upper half, the n-gram's column in the lower."""
    padded = [f" {' '.join(text.lower().split())} " for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    rows = np.repeat(np.arange(len(texts), dtype=np.uint32) << HALF, [len(text) for text in padded])
    letters = codes != BLANK
    mixed = codes * MIX
    mixed ^= mixed >> np.uint32(15)
    keys = [_key(mixed, rows)[letters]]
    rolled, inside = mixed, np.ones(max(len(codes) - 1, 0), np.bool_)
    for length in range(2, LONGEST + 1):
        rolled = rolled[:-1] * ROLL + mixed[length - 1 :]
        if length == 2:
            keys.append(_key(rolled, rows)[letters[:-1] | letters[1:]])
            continue
        inside = inside[:-1] & letters[length - 2 : -1]  # a blank may begin or end an n-gram, never stand in it
        keys.append(_key(rolled, rows)[inside])
    return np.concatenate(keys)


def _key(hashes: Keys, rows: Keys) -> Keys:
    return (((hashes ^ (hashes >> np.uint32(13))) * MIX) >> HALF) | rows[: len(hashes)]
