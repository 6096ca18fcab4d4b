"""The probabilities of linear models without scikit-learn's checks, which take longer for one note than the models do.

`predict_proba` here is scikit-learn's own arithmetic for the models that the default recipe chooses from: logistic
regressions on vectors, stochastic descent on n-grams, their blends, and the two experts. Any other model, and any whose
probabilities came out different on the first notes, is asked itself.
"""

import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import Pipeline

from core.model.experts import Experts
from core.model.features import CentredVectors, NoteFeatures, TextColumns

Floats = NDArray[np.float64]
Predict = Callable[[NoteFeatures], Floats]
EPS = 1e-12  # as scikit-learn adds before it takes a logarithm
TOLERANCE = 1e-6  # of a probability; vectors are float32
COMPARED = 8  # notes
log = logging.getLogger(__name__)
_known: "WeakKeyDictionary[ClassifierMixin, Predict]" = WeakKeyDictionary()


class Unknown(Exception):
    """A model, or a part of one, whose arithmetic is not written down here."""


def predict_proba(model: ClassifierMixin, features: NoteFeatures) -> Floats:
    """What `model.predict_proba(features)` gives, shape (n, K)."""
    predict = _known.get(model)
    if predict is None:
        predict = _known[model] = _checked(model, features)
    return predict(features)


def _checked(model: ClassifierMixin, features: NoteFeatures) -> Predict:
    ask: Predict = model.predict_proba
    try:
        predict = _predict_of(model)
    except Unknown:
        return ask
    some = features[: min(COMPARED, len(features))]
    if len(some) and not np.allclose(predict(some), ask(some), rtol=0, atol=TOLERANCE):
        log.error("a model of kind %s is asked itself: its probabilities came out different", type(model).__name__)
        return ask
    return predict


def _predict_of(model: Any) -> Predict:  # noqa: ANN401 - scikit-learn has no types
    """The arithmetic of a fitted model.

    Raises:
        Unknown: it is of another kind.
    """
    for kind, build in BUILDERS.items():
        if type(model) is kind:
            return build(model)
    raise Unknown


def _experts(model: Any) -> Predict:  # noqa: ANN401
    gate, general, trusted = map(_predict_of, (model.gate_, model.general_, model.trusted_))
    places = np.searchsorted(model.classes_, model.trusted_.classes_)

    def predict(features: NoteFeatures) -> Floats:
        share = model.least + (model.most - model.least) * gate(features)[:, 1:]
        mixed = (1 - share) * general(features)
        mixed[:, places] += share * trusted(features)
        return np.asarray(mixed)

    return predict


def _blend(model: Any) -> Predict:  # noqa: ANN401
    parts = [_predict_of(part) for part in model.estimators_]
    weights = np.ones(len(parts)) if model.weights is None else np.asarray(model.weights, dtype=float)
    if model.voting != "soft":
        raise Unknown
    shares = weights / weights.sum()

    def predict(features: NoteFeatures) -> Floats:
        return np.asarray(sum(share * part(features) for share, part in zip(shares, parts, strict=True)))

    return predict


def _calibrated(model: Any) -> Predict:  # noqa: ANN401
    """A temperature over one classifier's probabilities (`_TemperatureScaling` of scikit-learn)."""
    if model.method != "temperature" or len(model.calibrated_classifiers_) != 1 or len(model.classes_) <= 2:
        raise Unknown
    inner = model.calibrated_classifiers_[0]
    if hasattr(inner.estimator, "decision_function"):  # it would be asked in place of the probabilities
        raise Unknown
    predict_inner, beta = _predict_of(inner.estimator), float(inner.calibrators[0].beta_)

    def predict(features: NoteFeatures) -> Floats:
        return np.asarray(softmax(beta * np.log(predict_inner(features) + EPS), axis=1))

    return predict


def _pipeline(model: Any) -> Predict:  # noqa: ANN401
    steps = [step for _, step in model.steps]
    if len(steps) != 2 or not isinstance(steps[0], CentredVectors | TextColumns):
        raise Unknown
    transform, linear = steps
    if type(linear) not in (LogisticRegression, SGDClassifier) or getattr(linear, "loss", "log_loss") != "log_loss":
        raise Unknown
    # Of scikit-learn's own order each product would make a copy first where the input is sparse.
    weights, offset = np.ascontiguousarray(linear.coef_.T), linear.intercept_
    one_against_the_rest = isinstance(linear, SGDClassifier)

    def predict(features: NoteFeatures) -> Floats:
        scores = np.asarray(transform.transform(features) @ weights + offset)
        if scores.shape[1] == 1:
            positive = expit(scores)
            return np.hstack([1 - positive, positive])
        if not one_against_the_rest:
            return np.asarray(softmax(scores, axis=1))
        chances = expit(scores)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    return predict


BUILDERS: dict[type, Callable[[Any], Predict]] = {
    Experts: _experts,
    VotingClassifier: _blend,
    CalibratedClassifierCV: _calibrated,
    Pipeline: _pipeline,
}
