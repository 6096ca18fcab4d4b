"""Near-duplicate notes get one group, so that no split has one copy in training and another in the test."""

import re
from collections.abc import Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SHINGLE = 5
SIMILAR = 0.85
PERMUTATIONS = 64
_NOT_WORDS = re.compile(r"[\W\d_]+")


def near_duplicate_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """A group number for each text, shape (n,); near-duplicates share one.

    Two texts are near-duplicates when their character 5-grams, digits, punctuation and case aside, have an estimated
    Jaccard similarity of 0.85 or more (MinHash with locality-sensitive hashing: Broder 1997). The relation is closed
    transitively.
    """
    bare = [_NOT_WORDS.sub("", text).lower() for text in texts]
    distinct = list(dict.fromkeys(bare))
    position = {text: i for i, text in enumerate(distinct)}
    group = _linked_components(distinct)
    return np.array([group[position[text]] for text in bare], dtype=np.int64)


def _linked_components(texts: Sequence[str]) -> NDArray[np.int64]:
    """Connected components of the near-duplicate relation among distinct texts."""
    index = MinHashLSH(threshold=SIMILAR, num_perm=PERMUTATIONS)
    links: list[tuple[int, int]] = []
    for i, text in enumerate(texts):
        signature = _signature(text)
        links.extend((i, int(j)) for j in index.query(signature))
        index.insert(i, signature, check_duplication=False)
    rows, columns = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(texts), len(texts)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _signature(text: str) -> MinHash:
    signature = MinHash(num_perm=PERMUTATIONS, seed=1)
    signature.update_batch([text[i : i + SHINGLE].encode() for i in range(max(1, len(text) - SHINGLE + 1))])
    return signature
