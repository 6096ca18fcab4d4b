"""What classifiers read of a note: its embedding vector, the share of Chinese, hashed character n-grams of the text.

The n-grams are hashed, so that a bundle holds no vocabulary and no stretch of a training text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from core.embedding.space import Vectors
from core.language import chinese_shares
from core.model.ngrams import hashed_ngrams


@dataclass(frozen=True, slots=True)
class NoteFeatures:
    """The features of n notes. scikit-learn's tools take rows of it as they do of a matrix.

    Attributes:
        vectors: embedding vectors, shape (n, dimension), float32.
        chinese: how much of each text is Chinese (0 to 1), shape (n,), float32.
        ngrams: n-grams of each text, counts damped to 1 + log(count), rows of length 1: CSR, shape (n, columns).
        trusted: for training, whether a note is one that `core.model.experts` trusts, shape (n,).
    """

    vectors: Vectors
    chinese: NDArray[np.float32]
    ngrams: sparse.csr_array
    trusted: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many notes."""
        return len(self.vectors)

    @property
    def shape(self) -> tuple[int, int]:
        """Notes, and how many numbers there are of each."""
        return len(self), self.vectors.shape[1] + 1 + self.ngrams.shape[1]

    def __getitem__(self, rows: Any) -> Self:  # noqa: ANN401 - whatever numpy takes
        """The notes at these positions."""
        chosen = rows[0] if isinstance(rows, tuple) else rows
        return type(self)(self.vectors[chosen], self.chinese[chosen], self.ngrams[chosen], self.trusted[chosen])


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """What `NoteFeatures` holds of the texts alone, which can be worked out before the vectors are there."""

    chinese: NDArray[np.float32]
    ngrams: sparse.csr_array


def text_features(texts: Sequence[str]) -> TextFeatures:
    """The features of n cleaned texts."""
    ngrams = hashed_ngrams(texts)
    ngrams.data = 1 + np.log(ngrams.data)
    if texts:
        normalize(ngrams, copy=False)
    return TextFeatures(chinese_shares(texts).astype(np.float32), ngrams)


def featurise(vectors: Vectors, texts: Sequence[str], trusted: NDArray[np.bool_] | None = None) -> NoteFeatures:
    """The features of n notes: `vectors` has shape (n, dimension), `texts` n cleaned texts."""
    return with_vectors(vectors, text_features(texts), trusted)


def with_vectors(vectors: Vectors, texts: TextFeatures, trusted: NDArray[np.bool_] | None = None) -> NoteFeatures:
    """The features of n notes: `vectors` has shape (n, dimension), `texts` is of n texts."""
    trusted = np.zeros(len(vectors), np.bool_) if trusted is None else trusted
    return NoteFeatures(vectors, texts.chinese, texts.ngrams, trusted)


class CentredVectors(TransformerMixin, BaseEstimator):
    """The vectors of some notes with the mean of their language taken off, scaled to a spread of about 1.

    Sentence embeddings of one language share a direction of their own. Sources are mostly of one language and of few
    labels, so a classifier takes that direction for evidence unless it is removed.

    Attributes:
        by_language: false takes off the mean of all instead.
        means_: mean vector of notes in English and in Chinese, shape (2, dimension).
        scale_: root mean square of what is left, over all components.
    """

    LEAST_NOTES = 20

    def __init__(self, *, by_language: bool = True) -> None:
        self.by_language = by_language

    def fit(self, X: NoteFeatures, y: ArrayLike | None = None) -> Self:
        """Learn the two means and the scale; a language with under 20 notes takes the mean of all."""
        means = []
        for rows in (X.chinese < 0.5, X.chinese >= 0.5):
            apart = self.by_language and rows.sum() >= self.LEAST_NOTES
            means.append(X.vectors[rows if apart else slice(None)].mean(axis=0))
        self.means_ = np.array(means, dtype=np.float32)
        self.scale_ = np.float32(1.0)
        self.scale_ = np.float32(np.sqrt(np.mean(self.transform(X) ** 2))) or np.float32(1.0)
        return self

    def transform(self, X: NoteFeatures) -> Vectors:
        """Centred vectors, shape (n, dimension), float32; a mixed note takes a mix of the means."""
        means = self.means_[0] + X.chinese[:, None] * (self.means_[1] - self.means_[0])
        return np.asarray((X.vectors - means) / self.scale_)


class TextColumns(TransformerMixin, BaseEstimator):
    """The n-grams of some notes, sparse, shape (n, columns)."""

    def fit(self, X: NoteFeatures, y: ArrayLike | None = None) -> Self:
        """Nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Always."""
        return True

    def transform(self, X: NoteFeatures) -> sparse.csr_array:
        """The n-grams as they are."""
        return X.ngrams


class WeightedPCA(PCA):
    """PCA in which rows count by their weights, so that small sources keep the directions that they differ in."""

    def fit(self, X: Vectors, y: ArrayLike | None = None, sample_weight: NDArray[np.float64] | None = None) -> Self:
        """Learn the components; rows without weights count the same."""
        if sample_weight is None:
            super().fit(X)
            return self
        mean = np.average(X, axis=0, weights=sample_weight)
        rows = (X - mean) * np.sqrt(sample_weight / np.mean(sample_weight))[:, None]
        super().fit(np.vstack([rows, -rows]))  # both signs, so that what is fitted has the mean 0 already
        self.mean_ = mean
        return self

    def fit_transform(
        self, X: Vectors, y: ArrayLike | None = None, sample_weight: NDArray[np.float64] | None = None
    ) -> Vectors:
        """Learn the components, and give the rows in them."""
        return np.asarray(self.fit(X, y, sample_weight).transform(X), np.float32)
