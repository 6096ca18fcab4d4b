import csv
import re

import numpy as np
import pytest

from core.answers import TaskColumn
from core.model.head import HeadAnswers
from core.notes import Assessment, ModelIdentity, RankedLabel, TaskAnswer
from core.settings import REPOSITORY
from core.triage import NO_LEVEL
from core.wording import Wording, percent, shown_labels, speech_for, tasks_in_order

EN, ZH = Wording("en"), Wording("zh")
HAN = re.compile(r"[\u4e00-\u9fff]")


def answer(task: str, label: str = "a", kept: tuple[str, ...] = ()) -> TaskAnswer:
    return TaskAnswer(task, label, tuple(RankedLabel(name, 0.25) for name in "abcd"), kept)


def assessment(*answers: TaskAnswer, language: str = "zh") -> Assessment:
    return Assessment({a.task: a for a in answers}, (), False, (), (), language, ModelIdentity("b", "1", "e"))


@pytest.mark.parametrize("task", ["department", "condition"])
def test_every_label_of_the_starter_notes_has_a_name_in_both_languages(task: str) -> None:
    for language in ("en", "zh"):
        with (REPOSITORY / "models" / "starter" / f"notes_{language}.csv").open(encoding="utf-8", newline="") as file:
            labels = {row[task] for row in csv.DictReader(file)} - {""}
        assert labels
        assert not [
            label for label in labels if EN.label(task, label) == label or not HAN.search(ZH.label(task, label))
        ]


def test_acuity_levels_carry_their_names() -> None:
    assert [EN.label("acuity", level) for level in "12345"] == [
        "1 Resuscitation", "2 Emergent", "3 Urgent", "4 Less urgent", "5 Non-urgent",
    ]  # fmt: skip
    assert ZH.label("acuity", "1") == "1 濒危"


def test_a_site_s_own_task_and_label_keep_their_names() -> None:
    assert ZH.task("瘤种") == "瘤种"
    assert EN.task("ward") == "ward"
    assert EN.label("ward", "west") == "west"
    assert EN.label("acuity", "9") == "9"


@pytest.mark.parametrize("task", ["department", "acuity", "condition"])
@pytest.mark.parametrize("kept", [(), ("b",), ("a", "b"), ("a", "b", "c"), tuple("abcdefgh")])
def test_every_reason_that_the_desk_gives_can_be_said_in_chinese(task: str, kept: tuple[str, ...]) -> None:
    sets = np.array([[name in kept for name in "abcdefgh"]])
    answers = HeadAnswers(np.full((1, 8), 0.125), sets, np.array([0]), np.array([True]))
    [reason] = TaskColumn(task, tuple("abcdefgh"), answers).why_unsure()
    assert reason is not None
    assert EN.reason(reason) == reason.replace(task, EN.task(task), 1)
    assert not re.search("[a-z]", ZH.reason(reason))


@pytest.mark.parametrize(
    "reason",
    [
        "the note was cut: its middle was not read",
        "the note is neither Chinese nor English",
        NO_LEVEL,
        "acuity: a red flag is more urgent than the estimate",
    ],
)
def test_every_other_reason_can_be_said_in_chinese(reason: str) -> None:
    assert not re.search("[a-z]", ZH.reason(reason))
    assert EN.reason(reason)[0].isupper()


def test_a_reason_or_warning_without_wording_is_still_said() -> None:
    assert ZH.reason("something new") == "something new"
    assert ZH.warning("something_new") == "something_new"


def test_a_warning_is_a_sentence() -> None:
    assert EN.warning("truncated").endswith(".")
    assert ZH.warning("truncated").endswith("。")


@pytest.mark.parametrize(("language", "speech"), [("zh", "zh"), ("mixed", "zh"), ("en", "en"), ("other", "en")])
def test_the_answer_speaks_the_note_s_language(language: str, speech: str) -> None:
    assert speech_for(assessment(language=language)) == speech
    assert speech_for(assessment(language=language), "zh") == "zh"


def test_acuity_comes_first_and_a_site_s_own_task_last() -> None:
    found = assessment(answer("ward"), answer("condition"), answer("department"), answer("acuity"))
    assert [each.task for each in tasks_in_order(found)] == ["acuity", "department", "condition", "ward"]


def test_three_labels_are_shown_and_one_level() -> None:
    assert [label for label, _ in shown_labels(answer("department"))] == ["a", "b", "c"]
    assert shown_labels(answer("acuity", "b")) == [("b", 0.25)]


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.0, "<1%"), (0.0099, "<1%"), (0.01, "1%"), (0.71, "71%"), (0.99, "99%"), (0.991, ">99%"), (1.0, ">99%")],
)
def test_no_answer_is_called_impossible_or_certain(probability: float, words: str) -> None:
    assert percent(probability) == words


def test_a_red_flag_has_a_name_in_both_languages() -> None:
    assert EN.red_flag("cardiac_arrest") != ZH.red_flag("cardiac_arrest")
    assert HAN.search(ZH.red_flag("cardiac_arrest"))
    assert EN.red_flag("a_site_s_own") == "a_site_s_own"
