"""Choose a candidate by cross-validated log loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, cross_val_predict

from core.model.candidates import Blend, blended, blends, pca_of, single_candidates
from core.model.experts import takes_weights
from core.model.features import NoteFeatures
from core.model.recipe import Recipe, TaskRecipe
from core.model.rows import Floats, Indices, LabelledNotes

SELECTION_ROWS = 8000
Folds = list[tuple[Indices, Indices]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate chosen, unfitted, and how it did beside the others.

    Attributes:
        model: unfitted classifier over `NoteFeatures`.
        facts: for the manifest and the card.
    """

    model: ClassifierMixin
    facts: dict[str, Any]


def choose(notes: LabelledNotes, truth: Indices, weights: Floats, recipe: Recipe, plan: TaskRecipe) -> Choice:
    """The candidate with the least log loss over folds of (at most `SELECTION_ROWS`) rows.

    Across sources each is left out in turn and counts the same; otherwise rows count by their weights.
    """
    chosen = _sample_of_groups(truth, notes.groups, recipe.seed)
    features, kept, groups, loads = notes.features[chosen], truth[chosen], notes.groups[chosen], weights[chosen]
    sources = notes.sources[chosen]
    folds = _source_folds(sources) if plan.across_sources else random_folds(kept, groups, 3)
    counts = _evenly_weighed(sources) if plan.across_sources else loads
    singles = single_candidates(recipe.pca or 0.95, pca_only=recipe.pca is not None)
    unseen = {name: out_of_fold(model, features, kept, folds, loads) for name, model in singles.items()}
    every = np.arange(unseen["text"].shape[1])

    def loss(name: str) -> float:
        return float(log_loss(kept, unseen[name], sample_weight=counts, labels=every))

    losses = {name: loss(name) for name in unseen}
    mixed: dict[str, Blend] = blends(losses, pca_only=recipe.pca is not None)
    for name, blend in mixed.items():
        unseen[name] = (1 - blend.share) * unseen[blend.vector] + blend.share * unseen[blend.text]
        losses[name] = loss(name)
    allowed = [name for name in losses if recipe.pca is None or "pca" in name]
    best = min(allowed, key=lambda name: losses[name])
    model = blended(mixed[best], singles) if best in mixed else singles[best]
    scores = {name: float(f1_score(kept, unseen[name].argmax(1), average="macro")) for name in unseen}
    return Choice(
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


def random_folds(truth: Indices, groups: Indices, folds: int) -> Folds:
    """Folds with classes in proportion and near-duplicates together."""
    return list(StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=0).split(truth, truth, groups))


def _source_folds(sources: NDArray[np.str_]) -> Folds:
    """One fold a source: trained on all others, tested on it."""
    return list(LeaveOneGroupOut().split(sources, groups=sources))


def _evenly_weighed(sources: NDArray[np.str_]) -> Floats:
    """Row weights with which each source counts the same, shape (n,)."""
    _, places, counts = np.unique(sources, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[places])


def out_of_fold(
    model: ClassifierMixin, features: NoteFeatures, truth: Indices, folds: Folds, weights: Floats
) -> Floats:
    """Probabilities of each row by a model trained on the other folds, shape (n, K)."""
    extra = {"sample_weight": weights} if takes_weights(model) else {}
    unseen = cross_val_predict(clone(model), features, truth, cv=folds, method="predict_proba", params=extra)
    probabilities = np.asarray(unseen, dtype=np.float64)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))
