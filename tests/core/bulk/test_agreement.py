"""Agreement with a reference column, however its labels are written."""

import pytest

from core.bulk.agreement import agreement
from core.model.scheme import load_scheme


@pytest.mark.parametrize(
    ("written", "level"),
    [("2", "2"), (2, "2"), (2.0, "2"), ("2级", "2"), ("Ⅱ级", "2"), ("II", "2"), ("level 2", "2"), ("ESI-2", "2"),
     ("二级", "2"), ("Emergent", "2"), ("危重", "2"), ("2 Emergent", "2"), ("immediate", "immediate"), ("12", "12")],
)  # fmt: skip
def test_a_level_is_read_however_it_is_written(written: object, level: str) -> None:
    assert list(agreement("acuity", [written], [2]).confusion) == [level]


def test_a_level_is_read_by_the_code_of_the_scheme_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bulk.agreement.scheme_in_use", lambda: load_scheme("china"))
    assert agreement("acuity", ["Ⅳa", "Ⅳb", "Ⅰ"], [4, 5, 1]).agreed == 3


def test_departments_are_read_as_code_and_in_both_languages() -> None:
    found = agreement("department", ["心血管内科", "Cardiology", "cardiology", "牙科", ""], ["cardiology"] * 5)
    assert (found.rows, found.agreed, found.left_out) == (4, 3, 1)
    assert found.foreign == {"牙科": 1}
    assert found.confusion == {"cardiology": {"cardiology": 3}, "牙科": {"cardiology": 1}}
    assert found.interval is not None


def test_under_and_over_triage_are_shares_of_the_rows_with_both() -> None:
    found = agreement("acuity", [1, 2, 3, 4, None, 5], [2, 2, 2, 4, 3, None])
    assert (found.rows, found.agreed, found.left_out) == (4, 2, 2)
    assert found.acuity is not None
    assert (found.acuity.under_triage, found.acuity.over_triage) == (0.25, 0.25)


def test_a_column_of_texts_is_no_column_of_labels() -> None:
    assert not agreement("department", [f"text {row}" for row in range(100)], ["ent"] * 100).is_labels


def test_nothing_to_compare_is_no_error() -> None:
    found = agreement("acuity", [None, ""], [1, 2])
    assert found.share is None
    assert found.acuity is None
