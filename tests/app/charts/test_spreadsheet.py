"""Figures of the Spreadsheet page: labelled axes, numbers of the summary, no label lost."""

import pytest

from app.charts import spreadsheet as charts
from app.charts.style import INK_ON_DARK, inked
from app.text import Voice
from core.bulk.agreement import agreement
from core.bulk.summary import Summary
from core.wording import Speech

SPEECHES: tuple[Speech, ...] = ("en", "zh")
SUMMARY = Summary(
    rows=10,
    errors=1,
    review=4,
    levels={"ent": {"2": 3, "3": 2}, "oncology": {"": 1, "5": 3}},
    review_by_department={"ent": 3},
    review_by_level={"2": 3},
    conditions={},
    reasons={"department: two answers possible": 3},
    histograms={"department": (0,) * 19 + (9,)},
)


@pytest.mark.parametrize("language", SPEECHES)
def test_every_figure_has_titles_on_its_axes(language: Speech) -> None:
    say = Voice(language)
    found = agreement("acuity", [2, 3, 2], [2, 2, 3])
    for figure in (
        charts.acuity_by_department(SUMMARY, say),
        charts.volume_by_level(SUMMARY, say),
        charts.volume_by_department(SUMMARY, say),
        charts.review_share(SUMMARY, say),
        charts.probabilities(SUMMARY, "department", say),
        charts.confusion(found, say),
    ):
        assert figure.layout.xaxis.title.text
        assert inked(figure, is_dark=True).layout.font.color == INK_ON_DARK


def test_the_heat_map_has_a_row_a_department_and_a_column_a_level() -> None:
    figure = charts.acuity_by_department(SUMMARY, Voice("en"))
    assert list(figure.data[0].x) == ["1", "2", "3", "4", "5", "–"]
    assert figure.data[0].z.tolist() == [[0, 3, 2, 0, 0, 0], [0, 0, 0, 0, 3, 1]]
    table = charts.acuity_by_department_table(SUMMARY, Voice("en"))
    assert table["2 Emergent"].tolist() == [3, 0]


def test_shares_stand_beside_the_bars_in_words() -> None:
    figure = charts.review_share(SUMMARY, Voice("en"))
    assert list(figure.data[0].text) == ["60% of 5", "0% of 4"]
    assert charts.volume_table(SUMMARY, "department", Voice("en"))["A person must decide"].tolist() == [3, 0]


def test_two_long_names_that_begin_alike_stay_two_bars() -> None:
    alike = [f"a very long name of a department {number}" for number in (1, 2)]
    summary = Summary(2, 0, 0, {name: {"3": 1} for name in alike}, {}, {}, {}, {}, {})
    assert len(set(charts.volume_by_department(summary, Voice("en")).data[0].y)) == 2


def test_agreement_is_the_diagonal() -> None:
    found = agreement("department", ["ent", "oncology", "牙科"], ["oncology", "oncology", "ent"])
    figure = charts.confusion(found, Voice("en"))
    assert list(figure.data[0].y)[:2] == list(figure.data[0].x)[:2]
    assert charts.confusion(found, Voice("en"), 1).data[0].z.shape == (1, 1)
    assert len(charts.confusion_table(found, Voice("en"))) == 3
