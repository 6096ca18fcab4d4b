"""What a reader at a terminal sees of an assessment."""

import pytest

from core.cli_output import assessment_text, by_hand_text
from core.notes import Assessment, Evidence, ModelIdentity, RankedLabel, RedFlagHit, TaskAnswer
from core.why import Phrase, SimilarNote, Why
from core.wording import Speech, Wording

HIT = RedFlagHit(
    "cardiac_arrest", 1, (Evidence(3, 16, "not\nbreathing"), Evidence(20, 28, "no pulse")), "A guideline, 2"
)


def assessment(*flags: RedFlagHit) -> Assessment:
    acuity = TaskAnswer("acuity", "1", (RankedLabel("4", 0.9), RankedLabel("1", 0.1)), ("1",), 1)
    return Assessment({"acuity": acuity}, flags, False, (), (), "en", ModelIdentity("b", "1", "e"))


@pytest.mark.parametrize(
    ("speech", "heading", "line"),
    [
        ("en", "Must not be missed:", ", at least 1 Resuscitation: “not breathing”, “no pulse” (A guideline, 2)"),
        ("zh", "不可遗漏：", "，至少为 1 濒危：“not breathing”、“no pulse”（A guideline, 2）"),
    ],
)
def test_red_flags_are_told_with_their_words_and_source(speech: Speech, heading: str, line: str) -> None:
    lines = assessment_text(assessment(HIT), speech).splitlines()
    told = lines[lines.index(heading) + 1]
    assert told.startswith("  - ")
    assert told.endswith(line)
    assert "cardiac_arrest" not in told


def test_a_note_without_red_flags_has_no_heading_for_them() -> None:
    assert "missed" not in assessment_text(assessment())


def test_without_a_model_the_rules_are_told_and_that_a_person_must_triage() -> None:
    text = by_hand_text([HIT], "en")
    assert "at least 1 Resuscitation" in text
    assert text.endswith("triage by hand.")
    assert by_hand_text([], "zh") == "文本中未发现危险信号。\n\n模型暂无结果：请人工分诊。"


@pytest.mark.parametrize(
    ("speech", "moved", "line"),
    [
        ("en", "What moved the answer most:", "  - Acuity: “no pulse” (+40)"),
        ("zh", "对结果影响最大的语句：", "  - 紧急程度: “no pulse” (+40)"),
    ],
)
def test_what_an_answer_rests_on_is_told_in_two_lines(speech: Speech, moved: str, line: str) -> None:
    phrases = (
        Phrase(Evidence(0, 8, "he slept"), {"acuity": -0.1}),
        Phrase(Evidence(8, 17, "no\npulse"), {"acuity": 0.4}),
    )
    why = Why(phrases, (SimilarNote("he has no pulse", {"acuity": "1"}, 0.9),))
    lines = assessment_text(assessment(), speech, why=why).splitlines()
    assert lines[lines.index(moved) + 1] == line
    assert any("he has no pulse" in each and Wording(speech).label("acuity", "1") in each for each in lines)


def test_a_note_of_one_phrase_has_nothing_that_moved_it() -> None:
    assert assessment_text(assessment(), "en", why=Why((), ())) == assessment_text(assessment(), "en")
