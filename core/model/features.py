"""One matrix a note set: the embedding vector, the share of Chinese, hashed character n-grams of the text.

The n-grams are hashed, so that a bundle holds no vocabulary and no stretch of a training text.
"""

from collections.abc import Sequence
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import HashingVectorizer

from core.embedding.space import Vectors
from core.language import chinese_share

TEXT_COLUMNS = 2**16
NGRAMS = (1, 4)


@cache
def _hasher() -> HashingVectorizer:
    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=NGRAMS,
        n_features=TEXT_COLUMNS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )


def featurise(vectors: Vectors, texts: Sequence[str]) -> sparse.csr_array:
    """The features of n notes: CSR of shape (n, dimension + 1 + `TEXT_COLUMNS`), float32.

    Columns below `dimension` are the vector; then the share of Chinese in the text (0 to 1); then counts of character
    n-grams inside word boundaries.
    """
    chinese = np.array([[chinese_share(text)] for text in texts], dtype=np.float32)
    dense = sparse.csr_array(np.hstack([vectors, chinese]))
    return sparse.csr_array(sparse.hstack([dense, _hasher().transform(texts)], format="csr"))


class CentredVectors(TransformerMixin, BaseEstimator):
    """The vectors of a feature matrix with the mean of their language taken off, scaled to a spread of about 1.

    Sentence embeddings of one language share a direction of their own. Sources are mostly of one language and of few
    labels, so a classifier takes that direction for evidence unless it is removed.

    Attributes:
        means_: mean vector of notes in English and in Chinese, shape (2, dimension).
        scale_: root mean square of what is left, over all components.
    """

    LEAST_NOTES = 20

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    def fit(self, X: sparse.csr_array, y: ArrayLike | None = None) -> Self:
        """Learn the two means and the scale; a language with under 20 notes takes the mean of all."""
        vectors, chinese = self._parts(X)
        chosen = [chinese[:, 0] < 0.5, chinese[:, 0] >= 0.5]
        self.means_ = np.array(
            [vectors[rows if rows.sum() >= self.LEAST_NOTES else slice(None)].mean(axis=0) for rows in chosen]
        )
        self.scale_ = 1.0
        self.scale_ = float(np.sqrt(np.mean(self.transform(X) ** 2))) or 1.0
        return self

    def transform(self, X: sparse.csr_array) -> NDArray[np.float64]:
        """Centred vectors, dense, shape (n, dimension); a mixed note takes a mix of the means."""
        vectors, chinese = self._parts(X)
        means = (1 - chinese) * self.means_[0] + chinese * self.means_[1]
        return np.asarray((vectors - means) / self.scale_)

    def _parts(self, X: sparse.csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        dense = X[:, : self.dimension + 1].toarray().astype(np.float64)
        return dense[:, :-1], dense[:, -1:]


class TextColumns(TransformerMixin, BaseEstimator):
    """The n-gram counts of a feature matrix, sparse, shape (n, `TEXT_COLUMNS`)."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Always."""
        return True

    def transform(self, X: sparse.csr_array) -> sparse.csr_array:
        """The columns behind the vector and the share of Chinese."""
        return X[:, self.dimension + 1 :]
