import pytest

from app.charts.answer import probability_bars, shown_bars
from app.text import Voice
from tests.app.answering import assessment, task

DEPARTMENT = assessment().tasks["department"]


def test_three_labels_are_shown_and_the_decided_one_is_the_first() -> None:
    answer = task("department", "neurology", cardiology=0.5, neurology=0.3, ent=0.1, dermatology=0.1)
    assert shown_bars(answer) == [("neurology", 0.3), ("cardiology", 0.5), ("ent", 0.1)]


def test_bars_carry_names_and_percent_and_the_axis_its_unit() -> None:
    figure = probability_bars(DEPARTMENT, Voice("zh"))
    assert list(figure.data[0].text) == ["60%", "20%", "10%"]
    assert figure.layout.yaxis.ticktext == ("<b>心血管内科</b>", "呼吸内科", "神经科")
    assert figure.layout.xaxis.title.text == "概率（%）"
    assert tuple(figure.layout.xaxis.range) == (0, 100)


def test_the_decided_bar_is_told_apart_by_more_than_colour() -> None:
    figure = probability_bars(DEPARTMENT, Voice("en"))
    colours = figure.data[0].marker.color
    assert colours[0] not in colours[1:]
    assert figure.layout.yaxis.ticktext[0].startswith("<b>")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first bar is on top


@pytest.mark.parametrize("is_dark", [False, True])
def test_words_stand_out_from_either_ground(is_dark: bool) -> None:
    figure = probability_bars(DEPARTMENT, Voice("en"), is_dark=is_dark)
    assert figure.layout.yaxis.tickfont.color == ("#eef3f5" if is_dark else "#0f1a20")


def test_a_task_with_one_label_has_one_bar() -> None:
    assert list(probability_bars(task("ward", "north", north=1.0), Voice("en")).data[0].text) == [">99%"]


def test_a_long_name_is_cut() -> None:
    name = "a ward with a name that no tablet is wide enough for"
    figure = probability_bars(task("ward", name, **{name: 1.0}), Voice("en"))
    assert figure.layout.yaxis.ticktext[0] == "<b>a ward with a<br>name that no…</b>"
