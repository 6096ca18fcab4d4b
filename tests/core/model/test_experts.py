"""Two experts and a gate: each manner of writing is answered by the expert that knows it."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from core.model.experts import Experts
from core.model.features import CentredVectors, NoteFeatures, featurise
from core.model.fit import trusted_rows
from core.model.recipe import Recipe

RANDOM = np.random.default_rng(0)
CLASSES = 3


def notes(rows: int, *, manner: float, turned: bool) -> tuple[np.ndarray, np.ndarray]:
    """Vectors whose first components tell the class, the other way round when `turned`; the last tells the manner."""
    truth = RANDOM.integers(0, CLASSES, rows)
    vectors = RANDOM.normal(size=(rows, CLASSES + 1)) * 0.3
    vectors[np.arange(rows), CLASSES - 1 - truth if turned else truth] += 1.5
    vectors[:, -1] += manner
    return vectors.astype(np.float32), truth


def both() -> tuple[NoteFeatures, np.ndarray]:
    plenty, those = notes(900, manner=-1, turned=False)
    few, these = notes(90, manner=1, turned=True)
    trusted = np.arange(990) >= 900
    return featurise(np.vstack([plenty, few]), ["note"] * 990, trusted), np.concatenate([those, these])


def fitted(features: NoteFeatures, truth: np.ndarray, least: float = 0.0, most: float = 1.0) -> Experts:
    with sklearn.config_context(enable_metadata_routing=True):
        logistic = make_pipeline(CentredVectors(), LogisticRegression().set_fit_request(sample_weight=True))
        return Experts(logistic, logistic, least, most).fit(features, truth, np.ones(len(truth)))


def right(model: Experts, vectors: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(model.predict(featurise(vectors, ["note"] * len(truth))) == truth))


def test_each_manner_is_answered_by_its_expert() -> None:
    model = fitted(*both())
    assert right(model, *notes(300, manner=-1, turned=False)) > 0.95
    assert right(model, *notes(300, manner=1, turned=True)) > 0.95


def test_the_shares_bound_the_gate() -> None:
    features, truth = both()
    only_general, only_trusted = fitted(features, truth, 0, 0), fitted(features, truth, 1, 1)
    assert right(only_general, *notes(300, manner=1, turned=True)) < 0.6
    assert right(only_trusted, *notes(300, manner=-1, turned=False)) < 0.6


def test_probabilities_are_probabilities_also_of_a_class_without_trusted_notes() -> None:
    features, truth = both()
    model = fitted(features[np.arange(990)[(truth != 2) | ~features.trusted]], truth[(truth != 2) | ~features.trusted])
    found = model.predict_proba(features)
    assert found.shape == (990, CLASSES)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found >= 0).all()


@pytest.mark.parametrize(
    ("recipe", "wanted"),
    [
        (Recipe(), 0),
        (Recipe(trusted=("ours",)), 24),
        (Recipe(trusted=("nobody's",)), 0),
        (Recipe(trusted=("tiny",)), 0),
    ],
)
def test_classes_with_hardly_a_trusted_note_are_left_to_the_general_expert(recipe: Recipe, wanted: int) -> None:
    labels = np.array(["a"] * 12 + ["b"] * 12 + ["c"] * 3 + ["a"] * 12)
    sources = np.array(["ours"] * 27 + ["tiny"] * 12)
    assert trusted_rows(labels, sources, recipe).sum() == wanted
