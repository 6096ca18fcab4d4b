import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.review import doubts, review_limit

RANDOM = np.random.default_rng(0)
LEVELS = ("1", "2", "3", "4", "5")


def test_the_doubt_of_a_level_is_the_probability_of_an_emergency() -> None:
    found = doubts("acuity", LEVELS, np.array([[0.05, 0.2, 0.5, 0.2, 0.05]]), np.array([2]))
    assert found == pytest.approx([0.25])


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5), st.sampled_from([0, 1]))
def test_an_answer_that_is_an_emergency_is_not_doubtful(weights: list[float], decided: int) -> None:
    shares = np.array([weights]) / sum(weights)
    assert doubts("acuity", LEVELS, shares, np.array([decided])).tolist() == [0.0]


def test_the_doubt_of_another_task_is_that_none_of_the_three_shown_is_right() -> None:
    found = doubts("department", tuple("abcde"), np.array([[0.1, 0.3, 0.2, 0.25, 0.15]]), np.array([1]))
    assert found == pytest.approx([0.25])


def test_of_two_labels_the_doubt_is_the_other_one() -> None:
    assert doubts("ward", ("east", "west"), np.array([[0.3, 0.7]]), np.array([1])) == pytest.approx([0.3])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_the_stated_share_of_notes_goes_to_a_person(share: float) -> None:
    limit = review_limit(RANDOM.beta(2, 5, 4000), share)
    assert (RANDOM.beta(2, 5, 20_000) > limit).mean() == pytest.approx(share, abs=0.02)


def test_too_few_notes_set_no_limit() -> None:
    assert review_limit(np.array([0.2, 0.4]), 0.1) == np.inf
