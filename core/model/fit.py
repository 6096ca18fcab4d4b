"""Fit one head: choose a candidate by cross-validated log loss, calibrate it, set the conformal thresholds."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, cross_val_predict

from core.model.candidates import Blend, blended, blends, pca_of, single_candidates, takes_weights
from core.model.features import NoteFeatures
from core.model.head import Floats, Head, calibrated, conformal_thresholds, fit_calibrator
from core.model.recipe import Recipe, TaskRecipe
from core.model.scheme import load_scheme

SELECTION_ROWS = 8000
MANY_ROWS = 20_000
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledNotes:
    """Rows that have a label for one task.

    Attributes:
        features: what classifiers read of them.
        labels: class names, shape (n,).
        groups: near-duplicates share a number, shape (n,).
        sources: where each row comes from, shape (n,).
    """

    features: NoteFeatures
    labels: NDArray[np.str_]
    groups: Indices
    sources: NDArray[np.str_]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.labels)

    def rows(self, chosen: Indices) -> "LabelledNotes":
        """The rows with these positions."""
        return LabelledNotes(self.features[chosen], self.labels[chosen], self.groups[chosen], self.sources[chosen])


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head and how it came to be: `facts` go into the manifest and the card."""

    head: Head
    facts: Mapping[str, Any] = field(default_factory=dict)


def row_weights(
    labels: NDArray[np.str_], sources: NDArray[np.str_], *, class_balance: float, source_balance: float
) -> Floats:
    """How much each row counts in training, shape (n,), mean 1.

    With n_c rows of a class and n_cs of them from one source, a row weighs n_cs ** -source_balance within its class,
    and the class as a whole n_c ** (1 - class_balance).
    """
    _, classes, class_counts = np.unique(labels, return_inverse=True, return_counts=True)
    pairs = np.char.add(np.char.add(sources.astype(str), "\x00"), labels.astype(str))
    _, cells, cell_counts = np.unique(pairs, return_inverse=True, return_counts=True)
    within = cell_counts[cells].astype(np.float64) ** -source_balance
    totals = np.bincount(classes, weights=within)
    weights = within * (class_counts.astype(np.float64) ** (1 - class_balance) / totals)[classes]
    return np.asarray(weights / weights.mean())


def fit_head(task: str, notes: LabelledNotes, recipe: Recipe) -> FittedHead:
    """The head of one task, fitted on all of `notes`, calibrated on out-of-fold probabilities."""
    plan = recipe.task(task)
    classes = tuple(str(label) for label in np.unique(notes.labels))
    truth = np.searchsorted(np.array(classes), notes.labels).astype(np.int64)
    weights = row_weights(
        notes.labels, notes.sources, class_balance=plan.class_balance, source_balance=plan.source_balance
    )
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        # Steps are bounded on purpose: a candidate that would gain from more shows it by its log loss.
        warnings.simplefilter("ignore", ConvergenceWarning)
        choice = _choose(notes, truth, weights, recipe, plan)
        folds = _random_folds(truth, notes.groups, 3 if len(notes) > MANY_ROWS else 5)
        unseen = _out_of_fold(choice.model, notes.features, truth, folds, weights)
        extra = {"sample_weight": weights} if takes_weights(choice.model) else {}
        model = clone(choice.model).fit(notes.features, truth, **extra)
    calibrator = fit_calibrator(unseen, truth, plan.calibration)
    probabilities = calibrated(calibrator, unseen)
    costs = load_scheme(plan.scheme).costs[np.ix_(*[[int(c) - 1 for c in classes]] * 2)] if plan.scheme else None
    thresholds = conformal_thresholds(probabilities, truth, recipe.coverage)
    head = Head(task, classes, _slim(model), calibrator, thresholds, recipe.coverage, costs)
    return FittedHead(head, choice.facts | {"calibration": plan.calibration, "trained_on": len(notes)})


@dataclass(frozen=True, slots=True)
class _Choice:
    model: ClassifierMixin
    facts: dict[str, Any]


def _choose(notes: LabelledNotes, truth: Indices, weights: Floats, recipe: Recipe, plan: TaskRecipe) -> _Choice:
    """The candidate with the least weighted log loss over folds of (at most `SELECTION_ROWS`) rows."""
    chosen = _sample_of_groups(truth, notes.groups, recipe.seed)
    features, kept, groups, loads = notes.features[chosen], truth[chosen], notes.groups[chosen], weights[chosen]
    folds = _source_folds(notes.sources[chosen]) if plan.across_sources else _random_folds(kept, groups, 3)
    singles = single_candidates(recipe.pca or 0.95, pca_only=recipe.pca is not None)
    unseen = {name: _out_of_fold(model, features, kept, folds, loads) for name, model in singles.items()}
    every = np.arange(unseen["text"].shape[1])

    def loss(name: str) -> float:
        return float(log_loss(kept, unseen[name], sample_weight=loads, labels=every))

    losses = {name: loss(name) for name in unseen}
    mixed: dict[str, Blend] = blends(losses, pca_only=recipe.pca is not None)
    for name, blend in mixed.items():
        unseen[name] = (1 - blend.share) * unseen[blend.vector] + blend.share * unseen[blend.text]
        losses[name] = loss(name)
    allowed = [name for name in losses if recipe.pca is None or "pca" in name]
    best = min(allowed, key=lambda name: losses[name])
    model = blended(mixed[best], singles) if best in mixed else singles[best]
    scores = {name: float(f1_score(kept, unseen[name].argmax(1), average="macro")) for name in unseen}
    return _Choice(
        model,
        {
            "chosen": best,
            "log_losses": {name: round(value, 4) for name, value in sorted(losses.items(), key=lambda item: item[1])},
            "selection_rows": len(kept),
            "selected": "across sources" if plan.across_sources else "by random folds",
            "pca": _pca_facts(singles, scores, losses, features, kept, loads, recipe),
        },
    )


def _pca_facts(
    singles: Mapping[str, ClassifierMixin],
    scores: Mapping[str, float],
    losses: Mapping[str, float],
    features: NoteFeatures,
    truth: Indices,
    weights: Floats,
    recipe: Recipe,
) -> dict[str, Any]:
    """What PCA costs in macro-F1 and saves in bytes: one logistic regression with it and without it."""
    reduced = min((name for name in singles if name.startswith("pca ")), key=lambda name: losses[name])
    plain = reduced.removeprefix("pca ")
    found = pca_of(clone(singles[reduced]).fit(features, truth, sample_weight=weights))
    dimension = features.vectors.shape[1]
    components = 0 if found is None else int(found.n_components_)
    return {
        "variance": recipe.pca or 0.95,
        "components": components,
        "dimension": dimension,
        "macro_f1": round(scores[reduced], 4),
        "macro_f1_without": round(scores[plain], 4),
        "vector_bytes": 4 * components,
        "vector_bytes_without": 4 * dimension,
    }


def _sample_of_groups(truth: Indices, groups: Indices, seed: int) -> Indices:
    """Positions of at most about `SELECTION_ROWS` rows, whole groups, classes in proportion but none lost."""
    if len(truth) <= SELECTION_ROWS:
        return np.arange(len(truth))
    parts = round(len(truth) / SELECTION_ROWS)
    split = StratifiedGroupKFold(n_splits=max(2, parts), shuffle=True, random_state=seed)
    return np.asarray(next(iter(split.split(truth, truth, groups)))[1])


Folds = list[tuple[Indices, Indices]]


def _random_folds(truth: Indices, groups: Indices, folds: int) -> Folds:
    """Folds with classes in proportion and near-duplicates together."""
    return list(StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=0).split(truth, truth, groups))


def _source_folds(sources: NDArray[np.str_]) -> Folds:
    """One fold a source: trained on all others, tested on it."""
    return list(LeaveOneGroupOut().split(sources, groups=sources))


def _out_of_fold(
    model: ClassifierMixin, features: NoteFeatures, truth: Indices, folds: Folds, weights: Floats
) -> Floats:
    """Probabilities of each row by a model trained on the other folds, shape (n, K)."""
    extra = {"sample_weight": weights} if takes_weights(model) else {}
    unseen = cross_val_predict(clone(model), features, truth, cv=folds, method="predict_proba", params=extra)
    probabilities = np.asarray(unseen, dtype=np.float64)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))


def _slim(model: ClassifierMixin) -> ClassifierMixin:
    """The same model with float32 coefficients and without what only further training needs.

    Coefficients lie in memory by column, since a product with sparse rows would copy them otherwise, at each call.
    """
    for part in [model, *getattr(model, "estimators_", [])]:
        last = part[-1] if hasattr(part, "steps") else part
        if isinstance(getattr(last, "coef_", None), np.ndarray):
            last.coef_ = np.asfortranarray(last.coef_, dtype=np.float32)
        for name in ("_standard_coef", "_average_coef", "_standard_intercept", "_average_intercept"):
            if hasattr(last, name):
                delattr(last, name)
    return model
