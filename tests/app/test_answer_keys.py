from app.answer_keys import (
    ACCEPT_KEY,
    LABEL_KEYS,
    LEVELS,
    NEXT_KEY,
    REASON_KEYS,
    choices,
    key_of,
    more_choices,
    reason_key,
    reasons_for,
)
from core.records.reasons import REASONS
from tests.app.answering import assessment, task

ANSWERS = assessment().tasks
RESERVED = {"C", "R"}  # Streamlit's own


def test_no_key_has_two_meanings() -> None:
    keys = [*LEVELS, *"".join(LABEL_KEYS.values()), *REASON_KEYS, ACCEPT_KEY, NEXT_KEY]
    assert len(keys) == len(set(keys))
    assert not RESERVED & set(keys)


def test_every_level_has_a_button_in_order_with_its_number_as_key() -> None:
    shown = choices(ANSWERS["acuity"])
    assert shown == list(LEVELS)
    assert [key_of("acuity", label, place) for place, label in enumerate(shown)] == shown
    assert more_choices(ANSWERS["acuity"]) == []


def test_the_decided_department_comes_first_even_if_it_is_not_the_likeliest() -> None:
    answer = task("department", "neurology", cardiology=0.5, neurology=0.3, ent=0.1, dermatology=0.1)
    assert choices(answer) == ["neurology", "cardiology", "ent"]
    assert more_choices(answer) == ["dermatology"]
    assert [key_of("department", label, place) for place, label in enumerate(choices(answer))] == ["Q", "W", "E"]


def test_a_site_s_own_task_has_buttons_without_keys() -> None:
    answer = task("ward", "north", north=0.9, south=0.1)
    assert choices(answer) == ["north", "south"]
    assert key_of("ward", "north", 0) is None


def test_every_override_has_reasons_that_fit_each_with_a_key() -> None:
    for name, given, chosen in (
        ("acuity", "3", "1"), ("acuity", "3", "5"), ("department", "ent", "neurology"), ("condition", "eye", "ear"),
    ):  # fmt: skip
        reasons = reasons_for(name, given, chosen)
        assert set(reasons) <= set(REASONS)
        assert all(reason_key(place) for place in range(len(reasons)))


def test_reasons_follow_the_direction_of_the_override() -> None:
    assert "more_urgent_signs" in reasons_for("acuity", "3", "2")
    assert "less_urgent_signs" not in reasons_for("acuity", "3", "2")
    assert "less_urgent_signs" in reasons_for("acuity", "3", "4")
    assert "wrong_department" in reasons_for("department", "ent", "eye")
    assert "wrong_department" not in reasons_for("acuity", "3", "2")


def test_every_reason_fits_some_override() -> None:
    fitting = {*reasons_for("acuity", "3", "1"), *reasons_for("acuity", "3", "5"), *reasons_for("department", "a", "b")}
    assert fitting == set(REASONS)
