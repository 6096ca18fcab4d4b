"""The heads' short way gives what scikit-learn gives, and steps aside where it does not know a model."""

import logging
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from core.model import direct
from core.model.candidates import Blend, blended, single_candidates
from core.model.experts import Experts
from core.model.features import NoteFeatures, TextColumns
from core.triage import TriageDesk

KNOWN = ("logistic C=0.01", "text")
ROWS = 240


@pytest.fixture(autouse=True)
def routing() -> Iterator[None]:
    """As in training."""
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def features() -> NoteFeatures:
    random = np.random.default_rng(7)
    ngrams = sparse.random_array((ROWS, 512), density=0.05, random_state=random, format="csr")
    return NoteFeatures(
        random.normal(size=(ROWS, 16)).astype(np.float32),
        (random.random(ROWS) < 0.5).astype(np.float32),
        ngrams,
        random.random(ROWS) < 0.5,
    )


def classes(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, count, ROWS)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("name", KNOWN)
def test_a_single_model_gives_the_same(features: NoteFeatures, name: str, count: int) -> None:
    model = single_candidates(0.95, pca_only=False)[name].fit(features, classes(count))
    assert direct._checked(model, features) != model.predict_proba
    np.testing.assert_allclose(direct.predict_proba(model, features), model.predict_proba(features), atol=1e-9)


@pytest.mark.parametrize("count", [2, 5])
def test_experts_over_blends_give_the_same(features: NoteFeatures, count: int) -> None:
    singles = single_candidates(0.95, pca_only=False)
    model = Experts(singles["logistic C=0.01"], blended(Blend("logistic C=0.03", "text", 0.3), singles), 0.2, 0.9)
    model.fit(features, classes(count))
    # Of two classes scikit-learn calibrates in a way of its own, which is left to it.
    assert (direct._checked(model, features) == model.predict_proba) == (count == 2)
    np.testing.assert_allclose(direct.predict_proba(model, features), model.predict_proba(features), atol=1e-9)


@pytest.mark.parametrize("name", ["neighbours", "linear svm", "pca logistic C=0.01"])
def test_a_model_of_another_kind_is_asked_itself(features: NoteFeatures, name: str) -> None:
    model = single_candidates(0.95, pca_only=False)[name].fit(features, classes(3))
    assert direct._checked(model, features) == model.predict_proba
    assert (direct.predict_proba(model, features) == model.predict_proba(features)).all()


def test_a_calibrator_that_would_read_scores_is_asked_itself(features: NoteFeatures) -> None:
    inner = make_pipeline(TextColumns(), SGDClassifier(loss="log_loss", random_state=0))
    model = CalibratedClassifierCV(inner, method="temperature", cv=3, ensemble=False).fit(features, classes(4))
    assert direct._checked(model, features) == model.predict_proba


def test_a_model_whose_probabilities_come_out_different_is_asked_itself_and_that_is_said(
    features: NoteFeatures, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = single_candidates(0.95, pca_only=False)["text"].fit(features, classes(3))
    monkeypatch.setattr(direct, "expit", lambda scores: np.ones_like(scores))
    with caplog.at_level(logging.ERROR):
        assert (direct.predict_proba(model, features) == model.predict_proba(features)).all()
    assert "came out different" in caplog.text


def test_the_shipped_bundle_answers_by_the_short_way(desk: TriageDesk) -> None:
    desk.assess("胸口压着痛半小时，出冷汗")
    for head in desk.bundle.heads.values():
        assert direct._known[head.model] != head.model.predict_proba
