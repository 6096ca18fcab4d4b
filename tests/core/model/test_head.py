import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapie.classification import SplitConformalClassifier
from sklearn.linear_model import LogisticRegression

from core.model.head import Head, calibrated, conformal_thresholds, fit_calibrator
from core.model.scheme import load_scheme

RANDOM = np.random.default_rng(0)


def overconfident(rows: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that claim more than they keep, with the truth drawn from milder ones."""
    logits = RANDOM.normal(size=(rows, classes)) * 1.5
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    claimed = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    truth = np.array([RANDOM.choice(classes, p=row) for row in honest])
    return claimed, truth


@pytest.mark.parametrize("method", ["temperature", "sigmoid"])
def test_calibration_makes_confidence_meet_accuracy(method: str) -> None:
    claimed, truth = overconfident(4000)
    mended = calibrated(fit_calibrator(claimed[:2000], truth[:2000], method), claimed[2000:])
    hits = mended.argmax(axis=1) == truth[2000:]
    assert claimed[2000:].max(axis=1).mean() - hits.mean() > 0.1
    assert abs(mended.max(axis=1).mean() - hits.mean()) < 0.04
    assert np.allclose(mended.sum(axis=1), 1)


def test_two_classes_are_calibrated_too() -> None:
    claimed, truth = overconfident(2000, classes=2)
    mended = calibrated(fit_calibrator(claimed, truth, "temperature"), claimed)
    assert mended.shape == (2000, 2)
    assert ((mended[:, 1] > 0.5) == (claimed[:, 1] > 0.5)).mean() > 0.98


def test_prediction_sets_keep_the_stated_share_of_every_class() -> None:
    probabilities, truth = overconfident(6000)
    thresholds = conformal_thresholds(probabilities[:3000], truth[:3000], 0.9)
    kept = probabilities[3000:] >= thresholds
    for label in range(4):
        rows = truth[3000:] == label
        assert abs(kept[rows, label].mean() - 0.9) < 0.04


def test_a_class_with_too_few_rows_takes_the_threshold_of_all() -> None:
    probabilities, _ = overconfident(500)
    truth = np.zeros(500, dtype=np.int64)
    truth[0] = 1
    thresholds = conformal_thresholds(probabilities, truth, 0.9)
    pooled = conformal_thresholds(probabilities[:, :2], truth.clip(0, 0), 0.9)[0]
    assert thresholds[3] == pytest.approx(thresholds[2])
    assert thresholds[1] == pytest.approx(thresholds[2])
    assert thresholds[0] == pytest.approx(pooled, abs=0.02)


def test_one_class_gets_the_threshold_that_mapie_gives() -> None:
    rows = RANDOM.normal(size=(600, 3))
    truth = np.array([RANDOM.choice(3, p=np.exp(r) / np.exp(r).sum()) for r in rows])
    model = LogisticRegression().fit(rows[:200], truth[:200])
    mine = conformal_thresholds(model.predict_proba(rows[200:400]), np.zeros(200, dtype=np.int64), 0.9)
    theirs = SplitConformalClassifier(model, confidence_level=0.9, prefit=True, conformity_score="lac")
    with pytest.warns(UserWarning, match="less labels"):
        theirs.conformalize(rows[200:400], np.zeros(200, dtype=np.int64))
    _, sets = theirs.predict_set(rows[400:])
    assert np.array_equal(model.predict_proba(rows[400:]) >= mine[0], sets[:, :, 0])


def acuity_head() -> Head:
    levels = ("1", "2", "3", "4", "5")
    claimed, truth = overconfident(200, classes=5)
    calibrator = fit_calibrator(claimed, truth, "temperature")
    return Head("acuity", levels, LogisticRegression(), calibrator, np.full(5, 0.1), 0.9, load_scheme("esi").costs)


def test_a_likely_emergency_outweighs_a_likelier_milder_level() -> None:
    answers = acuity_head().answer_probabilities(np.array([[0.02, 0.33, 0.40, 0.20, 0.05]]))
    assert answers.decided[0] == 1


def test_a_sure_mild_level_stays_mild() -> None:
    answers = acuity_head().answer_probabilities(np.array([[0.0, 0.01, 0.04, 0.15, 0.80]]))
    assert answers.decided[0] == 4


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
def test_the_decision_is_never_less_urgent_than_the_symmetric_one(weights: list[float]) -> None:
    probabilities = np.array([weights]) / sum(weights)
    steps = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    symmetric = int(np.argmin(probabilities @ steps))
    assert acuity_head().answer_probabilities(probabilities).decided[0] <= symmetric


@pytest.mark.parametrize("method", ["temperature", "sigmoid"])
def test_calibrated_probabilities_are_those_of_scikit_learn(method: str) -> None:
    random = np.random.default_rng(5)
    claimed = random.dirichlet(np.full(5, 0.3), size=2000)
    truth = random.integers(0, 5, size=2000)
    calibrator = fit_calibrator(claimed, truth, method)
    expected = calibrator.predict_proba(np.log(np.maximum(claimed, 1e-12)))
    np.testing.assert_allclose(calibrated(calibrator, claimed), expected, rtol=1e-9, atol=1e-12)
