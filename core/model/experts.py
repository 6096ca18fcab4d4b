"""Two experts and a gate: one learns from all notes, one only from those whose labels and manner are trusted.

Most labelled notes come from a few places, each with its own clinics, words and habits; an expert trained on all of
them takes those habits for evidence and carries them to messages from elsewhere. One that is trained on notes written
for the purpose knows less and errs less there. A gate tells which manner a note is written in (a mixture of experts:
Jacobs, Jordan, Nowlan and Hinton 1991).
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from core.model.features import CentredVectors, NoteFeatures

Floats = NDArray[np.float64]
BALANCE = 0.5  # how far the trusted expert's classes are made to count the same; trusted notes are nearly balanced
GATE_STRENGTH = 0.001


class Experts(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A mean of two experts' probabilities, weighted for each note by the gate.

    Attributes:
        general: unfitted classifier for all notes.
        trusted: unfitted classifier for the trusted ones.
        least: share of the trusted expert where the gate sees no trusted note (0 to 1).
        most: its share where the gate is sure of one.
    """

    def __init__(self, general: ClassifierMixin, trusted: ClassifierMixin, least: float, most: float) -> None:
        self.general = general
        self.trusted = trusted
        self.least = least
        self.most = most

    def fit(self, X: NoteFeatures, y: NDArray[np.int64], sample_weight: Floats | None = None) -> Self:
        """Fit both experts and the gate; `X.trusted` says which notes the trusted expert sees."""
        self.classes_ = np.unique(y)
        self.general_ = clone(self.general).fit(X, y, **_weights(self.general, sample_weight))
        known = y[X.trusted]
        expert = CalibratedClassifierCV(clone(self.trusted), method="temperature", cv=3, ensemble=False)
        self.trusted_ = expert.fit(X[X.trusted], known, **_weights(self.trusted, balancing(known)))
        gate = LogisticRegression(C=GATE_STRENGTH, class_weight="balanced", max_iter=200)
        self.gate_ = make_pipeline(CentredVectors(by_language=False), gate).fit(X, X.trusted)
        return self

    def predict_proba(self, X: NoteFeatures) -> Floats:
        """Probabilities, shape (n, K); of a class that no trusted note has, the general expert's alone."""
        share = self.least + (self.most - self.least) * self.gate_.predict_proba(X)[:, 1:]
        mixed = (1 - share) * self.general_.predict_proba(X)
        mixed[:, np.searchsorted(self.classes_, self.trusted_.classes_)] += share * self.trusted_.predict_proba(X)
        return np.asarray(mixed)

    def predict(self, X: NoteFeatures) -> NDArray[np.int64]:
        """The most probable class, shape (n,)."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


def balancing(labels: NDArray[np.int64]) -> Floats:
    """Row weights of the trusted expert, shape (n,), mean 1."""
    _, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = counts[places] ** -BALANCE
    return np.asarray(weights / weights.mean())


def takes_weights(model: ClassifierMixin) -> bool:
    """Whether fitting the classifier uses row weights; nearest neighbours do not."""
    return bool(get_routing_for_object(model).consumes("fit", ["sample_weight"]))


def _weights(model: ClassifierMixin, weights: Floats | None) -> dict[str, Floats]:
    return {} if weights is None or not takes_weights(model) else {"sample_weight": weights}
