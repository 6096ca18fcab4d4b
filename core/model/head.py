"""A head: the calibrated classifier that answers one task, with its prediction sets and its decision."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from core.model.direct import predict_proba
from core.model.features import NoteFeatures
from core.model.quantile import conformal_quantile
from core.model.review import doubts

Floats = NDArray[np.float64]
TINY = 1e-12


class GivenScores(ClassifierMixin, BaseEstimator):
    """A classifier whose input already is its decision function, so that a calibrator can be fitted on scores alone."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Remember the classes."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: Floats) -> Floats:
        """The scores as they came, shape (n, K)."""
        return X[:, 1] - X[:, 0] if X.shape[1] == 2 else X

    def predict(self, X: Floats) -> NDArray[np.int64]:
        """The class with the highest score, shape (n,)."""
        return np.asarray(self.classes_[np.argmax(X, axis=1)])


def fit_calibrator(probabilities: Floats, truth: NDArray[np.int64], method: str) -> CalibratedClassifierCV:
    """A temperature or sigmoid calibrator fitted on out-of-fold probabilities.

    Args:
        probabilities: shape (n, K), of rows that the classifier was not trained on.
        truth: class indices, shape (n,); every class must occur.
        method: `temperature` (Guo et al. 2017) or `sigmoid` (Platt 1999, one against the rest).
    """
    scores = np.log(np.maximum(probabilities, TINY))
    return CalibratedClassifierCV(FrozenEstimator(GivenScores().fit(scores, truth)), method=method).fit(scores, truth)


def calibrated(calibrator: CalibratedClassifierCV, probabilities: Floats) -> Floats:
    """Calibrated probabilities, shape (n, K).

    A temperature is applied here as scikit-learn applies it, without its checks of the input, which take longer for one
    note than all the rest of a head.
    """
    if calibrator.method == "temperature" and probabilities.shape[1] > 2:
        beta = calibrator.calibrated_classifiers_[0].calibrators[0].beta_
        return np.asarray(softmax(beta * np.log(np.maximum(probabilities, TINY)), axis=1), dtype=np.float64)
    return np.asarray(calibrator.predict_proba(np.log(np.maximum(probabilities, TINY))), dtype=np.float64)


def conformal_thresholds(probabilities: Floats, truth: NDArray[np.int64], coverage: float) -> Floats:
    """The least probability at which a label stays in the prediction set, one a class, shape (K,).

    Split-conformal prediction with the score 1 - p(true label), by class (label-conditional, "Mondrian": Vovk,
    Gammerman and Shafer 2005, chapter 4.5). A class with too few rows for its own quantile takes the pooled one.

    Args:
        probabilities: calibrated, of rows that neither classifier nor calibrator saw, shape (n, K).
        truth: class indices, shape (n,).
        coverage: share of true labels to be kept, above 0 and below 1.
    """
    scores = 1 - probabilities[np.arange(len(truth)), truth]
    pooled = conformal_quantile(scores, coverage)
    if not np.isfinite(pooled):
        pooled = 1.0
    by_class = [conformal_quantile(scores[truth == k], coverage) for k in range(probabilities.shape[1])]
    return 1 - np.array([pooled if np.isinf(q) else q for q in by_class])


@dataclass(frozen=True, slots=True)
class HeadAnswers:
    """A head's answers for n notes and K classes.

    Attributes:
        probabilities: calibrated, shape (n, K), rows sum to 1.
        sets: whether each label stays in the prediction set, shape (n, K).
        decided: index of the decided class, shape (n,).
        doubtful: whether a person must decide, shape (n,); none where nobody asked.
    """

    probabilities: Floats
    sets: NDArray[np.bool_]
    decided: NDArray[np.int64]
    doubtful: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The calibrated classifier of one task.

    Attributes:
        task: the question it answers.
        classes: labels in the order of the columns of every array here.
        model: fitted scikit-learn classifier over `NoteFeatures`.
        calibrator: what turns the model's probabilities into calibrated ones.
        thresholds: least probability to stay in the prediction set, shape (K,).
        coverage: the coverage that the thresholds were set for.
        costs: cost of deciding column j when row i is true, shape (K, K); none: decide for the most probable label.
        limit: doubt beyond which a person must decide (`core.model.review`).
    """

    task: str
    classes: tuple[str, ...]
    model: ClassifierMixin
    calibrator: CalibratedClassifierCV
    thresholds: Floats
    coverage: float
    costs: Floats | None = None
    limit: float = np.inf

    def answer(self, features: NoteFeatures) -> HeadAnswers:
        """Answers for n notes."""
        return self.answer_probabilities(calibrated(self.calibrator, predict_proba(self.model, features)))

    def answer_probabilities(self, probabilities: Floats) -> HeadAnswers:
        """Prediction sets and decisions for calibrated probabilities of shape (n, K)."""
        expected_gain = probabilities if self.costs is None else -(probabilities @ self.costs)
        decided = np.argmax(expected_gain, axis=1)
        doubtful = doubts(self.task, self.classes, probabilities, decided) > self.limit
        return HeadAnswers(probabilities, probabilities >= self.thresholds, decided, doubtful)
