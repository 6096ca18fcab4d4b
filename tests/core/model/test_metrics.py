"""Scores against scikit-learn, against examples worked by hand, and against what must hold for any predictions."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn import metrics as sklearn_metrics

from core.model.calibration_metrics import BINS, calibration_error, classwise_calibration_error
from core.model.intervals import percentile_interval, resampled_counts, share_interval
from core.model.metrics import TaskPredictions, score

LEVELS = ("1", "2", "3", "4", "5")


def predictions(
    truth: Sequence[str],
    probabilities: ArrayLike,
    *,
    task: str = "department",
    classes: tuple[str, ...] | None = None,
    sets: ArrayLike | None = None,
    decided: ArrayLike | None = None,
) -> TaskPredictions:
    probabilities = np.asarray(probabilities, dtype=np.float64)
    classes = classes or tuple("abcdefgh"[: probabilities.shape[1]])
    return TaskPredictions(
        task,
        classes,
        np.array(truth, dtype=object),
        probabilities,
        probabilities >= 0.3 if sets is None else np.asarray(sets, dtype=bool),
        probabilities.argmax(1) if decided is None else np.asarray(decided),
    )


def certain(
    truth: Sequence[str], decided: Sequence[str], classes: tuple[str, ...] = LEVELS, task: str = "acuity"
) -> TaskPredictions:
    """Predictions that are sure of what they decide."""
    places = [classes.index(label) for label in decided]
    return predictions(truth, np.eye(len(classes))[places], task=task, classes=classes)


def random_predictions(
    rows: int = 800,
    classes: tuple[str, ...] = 6,
    seed: int = 3,
    task: str = "department",
    names: tuple[str, ...] | None = None,
) -> TaskPredictions:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(classes, 0.5), rows)
    names = names or tuple("abcdefgh"[:classes])
    truth = [names[random.choice(classes, p=row)] for row in probabilities]
    return predictions(truth, probabilities, classes=names, task=task)


@st.composite
def any_predictions(
    draw: st.DrawFn, task: str = "department", classes: tuple[str, ...] = ("a", "b", "c", "d")
) -> TaskPredictions:
    rows = draw(st.integers(1, 30))
    weights = draw(
        st.lists(
            st.lists(st.floats(0.01, 1), min_size=len(classes), max_size=len(classes)), min_size=rows, max_size=rows
        )
    )
    probabilities = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    truth = draw(st.lists(st.sampled_from((*classes, "unknown")), min_size=rows, max_size=rows))
    return predictions(truth, probabilities, task=task, classes=classes)


def test_single_figures_are_those_of_scikit_learn() -> None:
    given_ = random_predictions()
    scores = score(given_)
    truth = np.array([given_.classes.index(label) for label in given_.truth])
    expected = {
        "top1": sklearn_metrics.accuracy_score(truth, given_.decided),
        "top3": sklearn_metrics.top_k_accuracy_score(truth, given_.probabilities, k=3),
        "macro_f1": sklearn_metrics.f1_score(truth, given_.decided, average="macro"),
        "log_loss": sklearn_metrics.log_loss(truth, given_.probabilities),
        "brier": sklearn_metrics.brier_score_loss(truth, given_.probabilities),
    }
    assert {name: scores.figures[name] for name in expected} == pytest.approx(expected)


def test_precision_recall_and_f1_of_each_label_are_those_of_scikit_learn() -> None:
    given_ = random_predictions()
    decided = np.array(given_.classes)[given_.decided]
    expected = sklearn_metrics.precision_recall_fscore_support(list(given_.truth), decided, labels=given_.classes)
    found = score(given_).per_label
    for k, label in enumerate(given_.classes):
        each = found[label]
        assert (each.precision, each.recall, each.f1, each.support) == pytest.approx([part[k] for part in expected])


def test_weighted_kappa_is_that_of_scikit_learn() -> None:
    given_ = random_predictions(classes=5, task="acuity", names=LEVELS)
    decided = np.array(LEVELS)[given_.decided]
    expected = sklearn_metrics.cohen_kappa_score(list(given_.truth), decided, weights="quadratic")
    assert score(given_).figures["kappa_quadratic"] == pytest.approx(expected)


def test_calibration_error_of_an_example_worked_by_hand() -> None:
    # 0.9, 0.9, 0.9, 0.9 with three right: |0.75 - 0.9| for four rows. 0.5, 0.5 with both right: 0.5 for two rows.
    probabilities = np.array([0.9, 0.9, 0.9, 0.9, 0.5, 0.5])
    right = np.array([True, True, True, False, True, True])
    assert calibration_error(probabilities, right) == pytest.approx((4 * 0.15 + 2 * 0.5) / 6)


def test_classwise_calibration_error_of_an_example_worked_by_hand() -> None:
    # Both rows say 0.8 and 0.2 and the first class is right in both: 0.2 off in each class.
    assert classwise_calibration_error(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 0])) == pytest.approx(0.2)


def test_bins_are_closed_on_the_right_and_the_whole_range_is_covered() -> None:
    edges = np.linspace(0, 1, BINS + 1)
    scores = score(predictions(["a"] * len(edges), np.column_stack([edges, 1 - edges]), classes=("a", "b")))
    assert sum(each.count for each in scores.reliability) == len(edges)
    assert [scores.reliability[0].low, scores.reliability[-1].high] == [0, 1]
    low_and_edge = score(predictions(["a"], [[3 / BINS, 1 - 3 / BINS]], classes=("a", "b"))).reliability
    assert [i for i, each in enumerate(low_and_edge) if each.count] == [int(np.ceil((1 - 3 / BINS) * BINS)) - 1]


def test_under_triage_is_counted_by_how_many_levels_a_patient_was_judged_less_urgent() -> None:
    scores = score(certain(truth=["1", "2", "3", "3", "5", "1"], decided=["1", "4", "4", "2", "1", "5"]))
    acuity = scores.acuity
    assert acuity is not None
    assert acuity.under_by_distance == {1: 1, 2: 1, 3: 0, 4: 1}
    assert acuity.over_by_distance == {1: 1, 2: 0, 3: 0, 4: 1}
    assert scores.figures["under_triage"] == pytest.approx(3 / 6)
    assert scores.figures["over_triage"] == pytest.approx(2 / 6)


def test_an_emergency_is_found_when_it_is_judged_in_either_emergency_level() -> None:
    scores = score(certain(truth=["1", "1", "2", "2", "5"], decided=["2", "1", "3", "1", "1"]))
    assert scores.figures["emergency_recall"] == pytest.approx(3 / 4)
    assert scores.figures["band_accuracy"] == pytest.approx(3 / 5)
    assert scores.as_dict()["band_confusion"] == {
        "1-2": {"1-2": 3, "3": 1, "4-5": 0},
        "3": {"1-2": 0, "3": 0, "4-5": 0},
        "4-5": {"1-2": 1, "3": 0, "4-5": 0},
    }


def test_figures_that_nothing_defines_are_none() -> None:
    scores = score(certain(truth=["3", "3"], decided=["3", "3"]))
    assert scores.figures["emergency_recall"] is None
    assert scores.figures["kappa_quadratic"] is None
    lone = score(predictions(["a", "a"], [[0.1, 0.9], [0.1, 0.9]])).per_label
    assert (lone["a"].precision, lone["a"].recall, lone["b"].recall, lone["b"].coverage) == (None, 0.0, None, None)


def test_levels_of_a_scheme_with_fewer_classes_are_scored() -> None:
    scores = score(certain(truth=["1", "3"], decided=["3", "3"], classes=("2", "3", "4")))
    assert scores.figures["under_triage"] == pytest.approx(0.5)


def test_acuity_with_other_names_than_levels_has_no_level_scores() -> None:
    assert score(certain(["red"], ["red"], classes=("red", "green"))).acuity is None


def test_a_label_that_the_model_does_not_know_counts_as_wrong_and_is_not_dropped() -> None:
    known = predictions(["a", "a"], [[0.9, 0.1], [0.9, 0.1]])
    scores = score(predictions(["a", "new"], known.probabilities))
    assert scores.rows == 2
    assert scores.figures["top1"] == scores.figures["top3"] == scores.figures["coverage"] == 0.5
    assert scores.confusion == {"a": {"a": 1}, "new": {"a": 1}}
    assert scores.per_label["new"].support == 1
    # 0.9² + 0.1² for what was said, 1 for what was not.
    assert scores.figures["brier"] == pytest.approx(((0.1**2 + 0.1**2) + (0.9**2 + 0.1**2 + 1)) / 2)


def test_an_unknown_level_is_wrong_but_in_no_direction() -> None:
    scores = score(certain(truth=["9", "3"], decided=["5", "3"]))
    assert scores.figures["under_triage"] == scores.figures["over_triage"] == 0
    assert scores.figures["band_accuracy"] == 0.5


def test_top1_judges_the_decision_and_calibration_the_probabilities() -> None:
    costly = predictions(["2"], [[0.4, 0.6]], classes=("1", "2"), task="acuity", decided=[0])
    scores = score(costly)
    assert scores.figures["top1"] == 0
    assert scores.figures["ece"] == pytest.approx(0.4)


def test_no_rows_give_no_figures() -> None:
    found = score(predictions([], np.zeros((0, 3)))).as_dict()
    assert found["rows"] == 0
    assert found["top1"] is None
    assert found["per_label"] == {}


def test_the_json_has_what_the_design_names() -> None:
    found = score(random_predictions(classes=5, task="acuity", names=LEVELS)).as_dict()
    assert {"rows", "top1", "top1_interval", "top3", "macro_f1", "ece", "coverage", "mean_set_size"} <= set(found)
    assert {"under_triage", "over_triage", "emergency_recall", "kappa_quadratic", "band_accuracy"} <= set(found)
    assert {"precision", "recall", "f1", "support", "coverage"} <= set(found["per_label"]["1"])
    assert sum(sum(row.values()) for row in found["confusion"].values()) == found["rows"]
    low, high = found["top1_interval"]
    assert low <= found["top1"] <= high


def test_an_interval_covers_the_true_share_about_19_times_of_20() -> None:
    random = np.random.default_rng(5)
    inside = 0
    for seed in range(300):
        low, high = share_interval(random.random(200) < 0.3, seed)
        inside += low <= 0.3 <= high
    assert 0.90 <= inside / 300 <= 0.99


def test_resampled_counts_keep_the_total_and_draw_no_empty_kind() -> None:
    drawn = resampled_counts(np.array([3, 0, 7, 0]), seed=1)
    assert (drawn.sum(1) == 10).all()
    assert not drawn[:, [1, 3]].any()


def test_an_interval_of_what_is_never_defined_is_none() -> None:
    assert percentile_interval(np.full(10, np.nan)) is None
    assert share_interval(np.zeros(0, dtype=bool), seed=0) is None


def test_perfect_predictions_have_the_best_figures() -> None:
    figures = score(certain(list(LEVELS), list(LEVELS))).figures
    assert figures["top1"] == figures["macro_f1"] == figures["coverage"] == figures["kappa_quadratic"] == 1
    assert figures["ece"] == figures["brier"] == figures["under_triage"] == 0


def test_the_worst_predictions_have_the_worst_figures() -> None:
    figures = score(certain(["1", "5"], ["5", "1"])).figures
    assert figures["top1"] == figures["macro_f1"] == figures["coverage"] == figures["emergency_recall"] == 0
    assert figures["ece"] == 1
    assert figures["brier"] == 2
    assert figures["kappa_quadratic"] == -1


@settings(max_examples=30, deadline=None)
@given(any_predictions())
def test_figures_stay_within_their_bounds(given_: TaskPredictions) -> None:
    scores = score(given_)
    shares = ("top1", "top3", "macro_f1", "ece", "classwise_ece", "coverage")
    assert all(0 <= scores.figures[name] <= 1 + 1e-12 for name in shares)
    assert scores.figures["top1"] <= scores.figures["top3"]
    assert 0 <= scores.figures["brier"] <= 2
    assert 0 <= scores.figures["mean_set_size"] <= len(given_.classes)
    assert sum(scores.set_sizes.values()) == scores.rows == sum(each.support for each in scores.per_label.values())
    assert all(0 <= low <= high for low, high in scores.intervals.values())


@settings(max_examples=30, deadline=None)
@given(any_predictions(task="acuity", classes=LEVELS), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(given_: TaskPredictions, random: Random) -> None:
    order = list(range(len(given_.truth)))
    random.shuffle(order)
    one, other = score(given_), score(given_.rows(np.array(order)))
    assert one.figures == pytest.approx(other.figures)
    assert one.confusion == {truth: other.confusion[truth] for truth in one.confusion}
    assert one.acuity.under_by_distance == other.acuity.under_by_distance
    assert one.intervals["top1"] == other.intervals["top1"]


@settings(max_examples=30, deadline=None)
@given(any_predictions(task="acuity", classes=LEVELS))
def test_every_row_is_right_too_urgent_not_urgent_enough_or_no_level(given_: TaskPredictions) -> None:
    scores = score(given_)
    unknown = float(np.mean(given_.truth == "unknown"))
    directions = scores.figures["under_triage"] + scores.figures["over_triage"]
    assert scores.figures["top1"] + directions + unknown == pytest.approx(1)
