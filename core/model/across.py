"""Each source left out of training in turn: how good the answers are on notes from elsewhere.

Random splits of a source tell how good a model is on more notes of that source. What a site wants to know is how good
it is on notes of a place that it never saw.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from core.model.features import TextColumns
from core.model.fit import LEAST_NOTES, fit_chosen
from core.model.head import Head
from core.model.metrics import TaskPredictions, score
from core.model.recipe import Recipe
from core.model.rows import LabelledNotes

LEAST_ROWS = 50  # a source with fewer tells nothing
BASELINE_FIGURES = ("top1", "top3", "macro_f1", "emergency_recall", "band_accuracy")


def by_left_out_source(
    task: str, notes: LabelledNotes, model: ClassifierMixin, recipe: Recipe, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Figures on each source by the same classifier trained on all the others, and those of a TF-IDF baseline.

    A label that no other source has counts as answered wrongly.

    Args:
        task: the question.
        notes: rows of all sources.
        model: unfitted classifier, chosen on all of them.
        recipe: how to train.
        say: told which sources are left out.
    """
    work = []
    for source in np.unique(notes.sources):
        mine = notes.sources == source
        rest = notes.rows(np.flatnonzero(~mine & ~np.isin(notes.labels, _rare(notes, ~mine))))
        if mine.sum() >= LEAST_ROWS and len(set(rest.labels)) > 1:
            apart = notes.rows(np.flatnonzero(mine))
            work.append((str(source), delayed(_on_another_source)(task, rest, apart, model, recipe)))
    say(f"{task}: {', '.join(source for source, _ in work)} left out in turn")
    figures = Parallel(n_jobs=-1)(job for _, job in work)
    return {source: scores for (source, _), scores in zip(work, figures, strict=True)}


def _on_another_source(
    task: str, rest: LabelledNotes, apart: LabelledNotes, model: ClassifierMixin, recipe: Recipe
) -> dict[str, Any]:
    """Figures on the notes `apart`, and the baseline's, of what is trained on `rest`."""
    scores = score_head(fit_chosen(task, rest, model, recipe), apart)
    baseline = _baseline(task, rest, apart)
    scores["baseline"] = {
        name: value for name, value in baseline.items() if name.removesuffix("_interval") in BASELINE_FIGURES
    }
    return scores


def score_head(head: Head, notes: LabelledNotes) -> dict[str, Any]:
    """A head's figures on some notes, as JSON types."""
    answers = head.answer(notes.features)
    found = TaskPredictions(head.task, head.classes, notes.labels, answers.probabilities, answers.sets, answers.decided)
    return score(found).as_dict()


def _rare(notes: LabelledNotes, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> list[str]:
    """Labels with too few notes among these rows to be learned."""
    names, counts = np.unique(notes.labels[rows], return_counts=True)
    return [str(name) for name, count in zip(names, counts, strict=True) if count < LEAST_NOTES]


def _baseline(task: str, rest: LabelledNotes, apart: LabelledNotes) -> dict[str, Any]:
    """Figures of TF-IDF over the texts' n-grams with a balanced linear support vector machine, the usual first try."""
    machine = LinearSVC(class_weight="balanced", random_state=0)
    fitted = make_pipeline(TextColumns(), TfidfTransformer(), machine).fit(rest.features, rest.labels)
    classes = tuple(map(str, fitted.classes_))
    scores = np.asarray(fitted.decision_function(apart.features), np.float64)
    probabilities = softmax(scores if scores.ndim == 2 else np.column_stack([-scores, scores]), axis=1)  # for the order
    decided = probabilities.argmax(axis=1)
    sets = np.eye(len(classes), dtype=bool)[decided]
    return score(TaskPredictions(task, classes, apart.labels, probabilities, sets, decided)).as_dict()
