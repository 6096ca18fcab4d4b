"""Ages and sexes from cells: what can be read is, nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bulk.patient import make_notes, read_age, read_sex
from core.notes import Note


@pytest.mark.parametrize(
    ("cell", "years"),
    [("67", 67), ("67岁", 67), (" 67 years old", 67), ("67-year-old", 67), (67, 67), (0.5, 0.5), ("6 months", 0.5),
     ("3个月", 0.25), ("18月龄", 1.5), ("2天", 2 / 365.25), ("6周", 6 / 52.18)],
)  # fmt: skip
def test_ages_are_read_in_years(cell: object, years: float) -> None:
    assert read_age(cell) == pytest.approx(years)


@pytest.mark.parametrize(
    "cell", ["", "unknown", "-4", "131", "20-30", "about 60", True, None, float("nan"), "6 7", "1e3", 500]
)
def test_an_age_that_is_not_plain_is_unknown(cell: object) -> None:
    assert read_age(cell) is None


@pytest.mark.parametrize(
    ("cell", "sex"), [("男", "male"), ("F", "female"), (" Female ", "female"), ("女性", "female"), ("m", "male")]
)
def test_sexes_are_read_in_both_languages(cell: str, sex: str) -> None:
    assert read_sex(cell) == sex


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_no_cell_breaks_the_readers(cell: object) -> None:
    age = read_age(cell)
    assert age is None or 0 <= age <= 130
    assert read_sex(cell) in (None, "female", "male")


def test_notes_take_age_and_sex_and_any_text_cell() -> None:
    assert make_notes(["a", None, 7, float("nan")], ["1", "", "x", 4], ["男", "f", "?", None]) == [
        Note("a", 1.0, "male"),
        Note("", None, "female"),
        Note("7"),
        Note("", 4.0),
    ]
