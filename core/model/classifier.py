"""A bundle's head as a scikit-learn classifier over texts, for other Python code."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from core.embedding.text import clean
from core.model.bundle import Bundle
from core.model.features import featurise
from core.model.head import HeadAnswers

if TYPE_CHECKING:
    from core.embedding.client import Embedder


def answers_for(bundle: Bundle, embedder: "Embedder", texts: Sequence[str]) -> dict[str, HeadAnswers]:
    """Every head's answers for texts that all can be embedded.

    Raises:
        NoteError: a text can't be assessed; it is named by its position.
        EndpointError: the endpoint gave no vectors.
    """
    cleaned = [clean(text) for text in texts]
    embeddings = embedder.embed(cleaned)
    for position, error in embeddings.errors.items():
        raise type(error)(f"Text {position + 1}: {error}")
    features = featurise(embeddings.vectors, cleaned)
    return {task: head.answer(features) for task, head in bundle.heads.items()}


class TextClassifier(ClassifierMixin, BaseEstimator):
    """One task of a bundle: `predict(texts)` and `predict_proba(texts)`, already fitted.

    Attributes:
        classes_: labels in the order of `predict_proba`'s columns.
    """

    def __init__(self, bundle: Bundle, embedder: "Embedder", task: str) -> None:
        self.bundle = bundle
        self.embedder = embedder
        self.task = task

    @property
    def classes_(self) -> NDArray[np.str_]:
        """Labels, shape (K,)."""
        return np.array(self.bundle.heads[self.task].classes)

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """The head is fitted; nothing changes."""
        return self

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n, K)."""
        return answers_for(self.bundle, self.embedder, X)[self.task].probabilities

    def predict(self, X: Sequence[str]) -> NDArray[np.str_]:
        """Decided labels, shape (n,); for acuity by expected cost, so not always the most probable."""
        return self.classes_[answers_for(self.bundle, self.embedder, X)[self.task].decided]
