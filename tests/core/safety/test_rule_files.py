"""What can't be used is refused at load, and the message names file, rule and field."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.safety.red_flags import RedFlags
from tests.core.safety.conftest import small_rules

Change = Callable[[str], str]


def replaced(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def added(more: str) -> Change:
    return lambda text: f"{text}\n{more}\n"


RULES, EN, ZH, SCOPES, SPELLING = "rules.toml", "en.toml", "zh.toml", "scopes.toml", "spelling.toml"
RULE = """[[rules]]
id = "{id}"
area = "other"
en = "x"
zh = "x"
acuity = 2
all = ["fever"]
source = "s"
section = "1"
"""


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        # rules.toml
        (RULES, replaced("acuity = 2\n", ""), "rules.toml, rule chest_pain_breathless, field acuity: is missing"),
        (RULES, replaced("acuity = 2", "acuity = 6"), "rule chest_pain_breathless, field acuity: Input should be 1"),
        (RULES, replaced("acuity = 2", 'acuity = "2"'), "rule chest_pain_breathless, field acuity"),
        (RULES, replaced('id = "chest_pain_breathless"\n', ""), "rule number 1, field id: is missing"),
        (RULES, replaced("chest_pain_breathless", "Chest pain"), "rule Chest pain, field id"),
        (RULES, added(RULE.format(id="not_breathing")), "rule not_breathing, field id: is there twice"),
        (RULES, replaced('area = "cardiac"', 'area = "heart"'), "rule chest_pain_breathless, field area"),
        (RULES, replaced('en = "Does', 'de = "Does'), "rule not_breathing, field en: is missing"),
        (RULES, replaced('zh = "没有呼吸"', 'zh = " "'), "rule not_breathing, field zh"),
        (RULES, replaced("needs_age", "wants_age"), "rule fever_newborn, field wants_age: is unknown"),
        (RULES, replaced("age = { below = 0.25 }\n", ""), "rule fever_newborn, field all: needs_age needs age"),
        (RULES, replaced("below = 0.25", "from = 2, below = 1"), "rule fever_newborn, field age: from must be less"),
        (RULES, replaced("below = 0.25", "under = 1"), "rule fever_newborn, field age.under: is unknown"),
        (RULES, replaced('sex = "female"', 'sex = "f"'), "rule bleeding_pregnant, field sex"),
        (RULES, replaced("pregnant = true", "pregnant = false"), "rule bleeding_pregnant, field pregnant: can only"),
        (RULES, replaced('within = "sentence"', 'within = "word"'), "rule head_injury_vomiting, field within"),
        (RULES, replaced('section = "1.5"', ""), "rule head_injury_vomiting, field section: is missing"),
        (RULES, replaced('any = [["not_breathing"]]', ""), "rule not_breathing, field all: all or any must name"),
        (RULES, replaced('[["not_breathing"]]', "[[]]"), "rule not_breathing, field any.0"),
        (RULES, replaced('all = ["fever"]', 'all = ["fevr"]'), "rule fever_newborn, field all: fevr is no finding"),
        (RULES, replaced('"sweating"]]', '"sweat"]]'), "chest_pain_breathless, field any: sweat is no finding"),
        (RULES, replaced('not = ["nosebleed"]', 'not = ["x"]'), "bleeding_pregnant, field not: x is no finding"),
        (RULES, lambda _: "rules = 3", "rules.toml holds no [[rules]]"),
        (RULES, lambda _: "rules = [3]", "rules.toml, rule number 1"),
        (RULES, added("[other]"), "rules.toml, file, field other: is unknown"),
        (RULES, added("[["), "rules.toml is no valid TOML"),
        # words
        (EN, replaced("(?:[0-7]", "(?=[0-7]"), "en.toml, finding breathless, field patterns: “"),
        (EN, replaced("spo2 ?(", "(a+)+ ?("), "en.toml, finding breathless, field patterns: “"),
        (EN, replaced("spo2 ?(", "SpO2 ?("), "finding breathless, field patterns: “SpO2"),
        (ZH, replaced("血氧[", "體溫["), "zh.toml, finding breathless, field patterns: “體溫"),
        (EN, replaced('words = ["sweat*"]', ""), "en.toml, finding sweating, field words: is missing"),
        (EN, replaced('["sweat*"]', '["sw*eat"]'), "en.toml, finding sweating, field words: “sw*eat” has a *"),
        (EN, replaced('["sweat*"]', '[" "]'), "en.toml, finding sweating, field words"),
        (EN, replaced('["sweat*"]', '"sweat*"'), "en.toml, finding sweating, field words"),
        (EN, replaced("negatable = false", 'negatable = "never"'), "finding not_breathing, field negatable"),
        (EN, replaced("negatable = false", "negable = false"), "finding not_breathing, field negable: is unknown"),
        (EN, replaced("[findings.sweating]", "[findings.Sweating]"), "finding Sweating, field name"),
        (ZH, replaced("[findings.sweating]", "[findings.sweats]"), "sweating is no finding of zh.toml"),
        (ZH, replaced("[findings.pregnant]", "[findings.with_child]"), "field pregnant: pregnant is no finding"),
        (EN, added("[findings.fever]"), "en.toml is no valid TOML"),
        (EN, lambda _: "findings = 3", "en.toml, file, field findings: must be a table"),
        # texts
        (EN, replaced("[texts.not_breathing]", "[texts.no_breath]"), "texts of rule not_breathing, field match"),
        (EN, added("[texts.none]\nmatch=['a','b','c']\nno_match=['a','b','c']"), "texts of rule none, field texts"),
        (ZH, replaced(', "患者呼吸停止"]', "]"), "zh.toml, texts of rule not_breathing, field match"),
        (ZH, replaced("no_match", "never"), "rule chest_pain_breathless, field no_match: is"),
        # scopes and spelling
        (SCOPES, replaced('kind = "negation"', 'kind = "denial"'), "scopes.toml, file, field cues.0.kind"),
        (SCOPES, replaced('side = "before"', 'side = "left"'), "scopes.toml, file, field cues.0.side"),
        (SCOPES, replaced('words = ["no", ', 'words = ["*no", '), "scopes.toml, cues of negation, field words: “*no"),
        (SCOPES, replaced("[breakers]", "[brakes]"), "scopes.toml, file, field"),
        (SPELLING, added("[fr]"), "spelling.toml, file, field fr: is unknown"),
        (SPELLING, replaced('"could not" = [', '"could not" = ["cannot", '), "field could not: “cannot” already"),
        (SPELLING, replaced('["couldn\'t", "couldnt"]', '"couldnt"'), "en, field could not: must be a list of words"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, file: str, change: Change, said: str) -> None:
    folder = small_rules(tmp_path / "rules")
    path = folder / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        RedFlags.load(folder)
    assert "\n" not in str(caught.value).rstrip()


@pytest.mark.parametrize("file", ["rules.toml", "en.toml", "zh.toml", "scopes.toml", "spelling.toml"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    folder = small_rules(tmp_path / "rules")
    (folder / file).unlink()
    with pytest.raises(SettingsError, match=f"{file} is missing"):
        RedFlags.load(folder)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    folder = small_rules(tmp_path / "rules")
    (folder / "zh.toml").write_bytes("[findings.x]\nwords=['胸痛']".encode("gb18030"))
    with pytest.raises(SettingsError, match=r"zh\.toml is not UTF-8"):
        RedFlags.load(folder)


def test_a_file_with_a_mark_at_its_start_is_read(tmp_path: Path) -> None:
    folder = small_rules(tmp_path / "rules")
    path = folder / "en.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(RedFlags.load(folder).rules) == 5


def test_a_new_rule_needs_no_code(tmp_path: Path) -> None:
    folder = small_rules(tmp_path / "rules")
    more = {
        "rules.toml": RULE.format(id="snake_bite").replace("fever", "snake"),
        "en.toml": '[findings.snake]\nwords = ["snake bit*"]\n[texts.snake_bite]\n'
        'match = ["a snake bit me", "snake bite", "Snake biting"]\nno_match = ["no snake bite", "a snake", "bite"]',
        "zh.toml": '[findings.snake]\nwords = ["蛇咬"]\n[texts.snake_bite]\n'
        'match = ["被蛇咬了", "蛇咬伤", "毒蛇咬"]\nno_match = ["没有蛇咬", "蛇", "如果蛇咬怎么办"]',
    }  # fmt: skip
    for name, text in more.items():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    assert [hit.id for hit in RedFlags.load(folder).find("被蛇咬了")] == ["snake_bite"]
