"""Hashed counts of character n-grams, for many texts at once.

scikit-learn's `HashingVectorizer(analyzer="char_wb")` counts the same n-grams but makes each one a Python string, which
takes eight times as long and was most of the time of a table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

NGRAM_COLUMNS = 2**16  # the upper half of a 32-bit hash
LONGEST = 4
BLOCK = 1024  # texts worked on together: what they need stays in the processor's cache
BLANK = np.uint32(ord(" "))
HALF = np.uint32(16)
# Odd constants of the xxHash and MurmurHash3 mixers; never change them, every bundle's coefficients depend on them.
MIX, ROLL = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)


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
    columns, ends = _columns(texts)
    start = 0
    for end in ends.tolist():
        columns[start:end].sort()  # a text at a time: short stretches sort several times as fast as all of them
        start = end
    is_first = np.ones(len(columns), np.bool_)
    is_first[1:] = columns[1:] != columns[:-1]
    is_first[ends[ends < len(columns)]] = True
    firsts = np.flatnonzero(is_first)
    counts = np.diff(firsts, append=len(columns)).astype(np.float32)
    sizes = np.diff(np.searchsorted(firsts, ends), prepend=0)
    return counts, columns[firsts].astype(np.int32), sizes


def _columns(texts: Sequence[str]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The column of every n-gram, text after text, and where each text's end."""
    padded = [f" {' '.join(text.lower().split())} " for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    size = len(codes)
    columns, counted = np.empty((size, LONGEST), np.uint16), np.zeros((size, LONGEST), np.bool_)
    letters = codes != BLANK
    mixed = codes * MIX
    mixed ^= mixed >> np.uint32(15)
    rolled, inside = mixed, np.ones(size + 1, np.bool_)
    for length in range(1, LONGEST + 1):
        if length > 1:
            rolled = rolled[:-1] * ROLL + mixed[length - 1 :]
        columns[: len(rolled), length - 1] = ((rolled ^ (rolled >> np.uint32(13))) * MIX) >> HALF
        if length <= 2:
            counted[: len(rolled), length - 1] = letters[: len(rolled)] | letters[length - 1 :]
            continue
        inside = inside[: len(rolled)] & letters[length - 2 : -1]  # a blank begins or ends an n-gram, or is not in it
        counted[: len(rolled), length - 1] = inside
    starts = np.cumsum([0, *map(len, padded[:-1])])
    return columns[counted], np.cumsum(np.add.reduceat(counted.sum(axis=1, dtype=np.int64), starts))
