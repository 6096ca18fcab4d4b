"""What takes a finding out of the here and now, and what does not; when in doubt it counts."""

from pathlib import Path

import pytest

from core.safety.red_flags import RedFlags
from tests.core.safety.conftest import small_rules

COUNTS = [
    # a cue reaches no further than its clause, and what breaks it ends it
    "No fever, chest pain since this morning",
    "No fever but chest pain",
    "no cough. chest pain",
    "no cough; chest pain",
    "no cough\nchest pain",
    "no cough (chest pain instead)",
    "He has no cough and his chest pain is back",
    "without a cough. Chest pain again",
    "denies cough, chest pain started an hour ago",
    "denies drug use, now chest pain",
    "no rest at all for the last two long days of chest pain",
    "没有发烧，胸痛",
    "没有发烧但是胸痛",
    "没有发烧 胸痛",
    "不发烧，就是胸痛",
    "否认外伤，突发胸痛",
    # what only looks like a cue
    "not only chest pain",
    "can't rule out chest pain",
    "no idea why I have chest pain",
    "no relief of chest pain",
    "chest pain has not resolved",
    "chest pain not gone away",
    "2 hour history of chest pain",
    "不但胸痛",
    "无明显诱因出现胸痛",
    "無明顯誘因胸痛",
    "不停胸痛",
    "胸痛没有缓解",
    "胸痛未缓解",
    "不能排除胸痛",
    # somebody's own, now
    "my mother has chest pain",
    "my father had chest pain just now",
    "chest pain again, like last time",
    "I don't know if this is chest pain",
    "my mother's chest pain is worse",
    "My dad had chest pain all night",
    "我父亲有胸痛",
    "家里有人胸痛",
    "跟上次一样胸痛",
    "h/o chest pain since morning",
    "when I was in the shower chest pain began",
    "I have never had chest pain like this",
    "从来没有这么厉害的胸痛",
    "胸痛病史2小时",
    # a question, and what is the matter
    "what if it's a heart attack, I have chest pain",
    "如果是心梗怎么办，我现在胸痛",
    "如果是心梗怎么办我现在胸痛",
    "If I get up I have chest pain",
    "These tablets can cause bleeding and now I have chest pain",
    "吃这个药会引起过敏，现在胸痛",
    # somebody who can't
    "I can't stop the chest pain",
    "can't sleep because of chest pain",
    "no i have chest pain",
    "没有发烧我胸痛",
    # over, but something else
    "my headache is gone. chest pain",
    "chest pain and my headache is gone",
    "头痛好了，胸痛",
]
DOES_NOT_COUNT = [
    "no chest pain",
    "No fever or chest pain",
    "no fever, cough, or chest pain",
    "Denies fever, cough, chest pain.",
    "Denies: chest pain",
    "negative for fever, chest pain, cough",
    "no sign of any chest pain",
    "he doesn't have chest pain",
    "he isn't having any chest pain",
    "Chest pain: no",
    "chest pain denied",
    "chest pain (-)",
    "没有胸痛",
    "無胸痛",
    "否认胸痛",
    "无发热、咳嗽、胸痛",
    "胸痛（-）",
    "胸痛：无",
    "不胸痛",
    "family history of chest pain",
    "My father had chest pain in his fifties",
    "chest pain runs in the family",
    "父亲有胸痛病史",
    "家族史：胸痛",
    "history of chest pain",
    "chest pain years ago",
    "as a child I had chest pain",
    "去年胸痛过",
    "既往胸痛",
    "胸痛病史",
    "what if I get chest pain",
    "Come back if you have chest pain",
    "call if it becomes worse or chest pain",
    "如果胸痛怎么办",
    "万一出现胸痛要去医院吗",
    "如出现胸痛请就诊",
    "chest pain has resolved",
    "the chest pain went away",
    "I had chest pain yesterday, it's gone now",
    "胸痛已消失",
    "胸痛已经好了",
    "昨天胸痛，现在已经不痛了",
]


@pytest.mark.parametrize("text", COUNTS)
def test_a_finding_counts(flags: RedFlags, text: str) -> None:
    assert [hit.id for hit in flags.find(f"{text}\nSweating. 出汗")] == ["chest_pain_breathless"]


@pytest.mark.parametrize("text", DOES_NOT_COUNT)
def test_a_finding_in_a_scope_does_not_count(flags: RedFlags, text: str) -> None:
    assert not flags.find(f"{text}\nSweating. 出汗")


@pytest.mark.parametrize("text", ["he is not breathing", "isn't breathing", "她没有呼吸了", "不是睡着，没有呼吸"])
def test_a_finding_that_is_negative_itself_counts(flags: RedFlags, text: str) -> None:
    assert [hit.id for hit in flags.find(text)] == ["not_breathing"]


@pytest.mark.parametrize("text", ["not breathing, chest pain, sweating", "没有呼吸，胸痛出汗"])
def test_a_negative_finding_negates_nothing_else(flags: RedFlags, text: str) -> None:
    assert len(flags.find(text)) == 2


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("without not breathing", True),  # the finding's own words hold a no
        ("not moving not breathing", True),
        ("没有反应没有呼吸", True),
        ("no stopped breathing", False),  # right before it, a no turns it round
        ("no fever stopped breathing", True),
        ("没有发烧呼吸停止", True),
        ("无呼吸停止", False),
    ],
)
def test_a_no_turns_round_only_what_it_stands_right_before(flags: RedFlags, text: str, counts: bool) -> None:
    assert ([hit.id for hit in flags.find(text)] == ["not_breathing"]) is counts


def test_what_happened_and_is_over_may_still_count(tmp_path: Path) -> None:
    folder = small_rules(tmp_path / "rules")
    path = folder / "en.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('["sweat*"]', '["sweat*"]\nresolvable = false'), encoding="utf-8"
    )
    text = "chest pain. The sweating has stopped"
    assert RedFlags.load(folder).find(text)
    assert not RedFlags.load(folder).find(text.replace("has stopped", "was denied"))


def test_a_denied_place_does_not_hide_another(flags: RedFlags) -> None:
    assert flags.find("no chest pain at rest. Chest pain and sweating when walking")
