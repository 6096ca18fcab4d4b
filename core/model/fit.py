"""Fit one head: choose its classifiers, calibrate them, set the conformal thresholds."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from core.model.experts import Experts, balancing, takes_weights
from core.model.head import Head, calibrated, conformal_thresholds, fit_calibrator
from core.model.recipe import Recipe, TaskRecipe
from core.model.review import doubts, review_limit
from core.model.rows import Floats, Indices, LabelledNotes, row_weights
from core.model.scheme import load_scheme
from core.model.selection import Choice, choose, out_of_fold, random_folds

MANY_ROWS = 10_000
LEAST_NOTES = 10


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head and how it came to be.

    Attributes:
        head: the fitted head.
        model: its classifier, unfitted.
        facts: for the manifest and the card.
    """

    head: Head
    model: ClassifierMixin
    facts: Mapping[str, Any] = field(default_factory=dict)


def fit_head(task: str, notes: LabelledNotes, recipe: Recipe) -> FittedHead:
    """The head of one task: its classifiers chosen, then fitted on all of `notes`."""
    plan = recipe.task(task)
    _, truth = _classes(notes)
    with _training():
        choice = choose(notes, truth, _weights(notes, plan), recipe, plan)
        if notes.features.trusted.any():
            choice = _with_expert(choice, notes, truth, recipe, plan)
    head = fit_chosen(task, notes, choice.model, recipe)
    facts = choice.facts | {"calibration": plan.calibration, "trained_on": len(notes)}
    return FittedHead(head, choice.model, facts)


def fit_chosen(task: str, notes: LabelledNotes, model: ClassifierMixin, recipe: Recipe) -> Head:
    """The head of one task with a given classifier, fitted on all of `notes`, calibrated out of fold."""
    plan = recipe.task(task)
    classes, truth = _classes(notes)
    weights = _weights(notes, plan)
    if isinstance(model, Experts) and len(set(notes.features.trusted.tolist())) == 1:  # there is nothing to mix
        model = model.trusted if notes.features.trusted[0] else model.general
    with _training():
        folds = random_folds(truth, notes.groups, 3 if len(notes) > MANY_ROWS else 5)
        unseen = out_of_fold(model, notes.features, truth, folds, weights)
        extra = {"sample_weight": weights} if takes_weights(model) else {}
        fitted = clone(model).fit(notes.features, truth, **extra)
    calibrator = fit_calibrator(unseen, truth, plan.calibration)
    probabilities = calibrated(calibrator, unseen)
    costs = load_scheme(plan.scheme).costs[np.ix_(*[[int(c) - 1 for c in classes]] * 2)] if plan.scheme else None
    thresholds = conformal_thresholds(probabilities, truth, recipe.coverage)
    head = Head(task, classes, _slim(fitted), calibrator, thresholds, recipe.coverage, costs)
    asked = probabilities[notes.features.trusted] if notes.features.trusted.any() else probabilities
    doubt = doubts(task, classes, asked, head.answer_probabilities(asked).decided)
    return replace(head, limit=review_limit(doubt, plan.review))


@contextmanager
def _training() -> Iterator[None]:
    """Row weights are routed; bounded steps are no warning: what would gain from more shows it by its log loss."""
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _classes(notes: LabelledNotes) -> tuple[tuple[str, ...], Indices]:
    """The classes, and the class index of each row."""
    classes = tuple(str(label) for label in np.unique(notes.labels))
    return classes, np.searchsorted(np.array(classes), notes.labels).astype(np.int64)


def _weights(notes: LabelledNotes, plan: TaskRecipe) -> Floats:
    return row_weights(
        notes.labels, notes.sources, class_balance=plan.class_balance, source_balance=plan.source_balance
    )


def _with_expert(choice: Choice, notes: LabelledNotes, truth: Indices, recipe: Recipe, plan: TaskRecipe) -> Choice:
    """The choice for all notes beside the one for the trusted notes alone."""
    rows = np.flatnonzero(notes.features.trusted)
    _, known = np.unique(truth[rows], return_inverse=True)
    expert = choose(notes.rows(rows), known, balancing(known), recipe, replace(plan, across_sources=False))
    model = Experts(choice.model, expert.model, *plan.trusted_share).set_fit_request(sample_weight=True)
    facts = {"notes": len(rows), "chosen": expert.facts["chosen"], "share": list(plan.trusted_share)}
    return Choice(model, choice.facts | {"trusted": facts})


def trusted_rows(labels: NDArray[np.str_], sources: NDArray[np.str_], recipe: Recipe) -> NDArray[np.bool_]:
    """Which rows the trusted expert learns from: those of trusted sources, of classes with ten of them or more."""
    trusted = np.isin(sources, recipe.trusted)
    names, counts = np.unique(labels[trusted], return_counts=True)
    enough = trusted & np.isin(labels, names[counts >= LEAST_NOTES])
    return enough if len(set(labels[enough])) > 1 else np.zeros(len(labels), np.bool_)


def _slim(model: ClassifierMixin) -> ClassifierMixin:
    """The same model with float32 coefficients and without what only further training needs.

    Coefficients lie in memory by column, since a product with sparse rows would copy them otherwise, at each call.
    """
    for last in _leaves(model):
        if isinstance(getattr(last, "coef_", None), np.ndarray):
            last.coef_ = np.asfortranarray(last.coef_, dtype=np.float32)
        for name in ("_standard_coef", "_average_coef", "_standard_intercept", "_average_intercept"):
            if hasattr(last, name):
                delattr(last, name)
    return model


def _leaves(model: ClassifierMixin) -> Iterator[ClassifierMixin]:
    """The fitted classifiers at the ends of pipelines, blends and experts."""
    if isinstance(model, Experts):
        inner = [model.general_, model.gate_, *(each.estimator for each in model.trusted_.calibrated_classifiers_)]
    elif isinstance(model, VotingClassifier):
        inner = model.estimators_
    elif isinstance(model, Pipeline):
        inner = [model[-1]]
    else:
        yield model
        return
    for part in inner:
        yield from _leaves(part)
