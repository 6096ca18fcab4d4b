from pathlib import Path

from core.safety.red_flags import RULES
from core.safety.rule_files import read_rules
from core.safety.table import TABLE, rules_page


def test_every_rule_is_on_the_page_with_its_texts(small_folder: Path) -> None:
    page = rules_page(read_rules(small_folder))
    assert "| cardiac | [chest_pain_breathless](#chest_pain_breathless)<br>Chest pain with breathlessness<br>" in page
    assert "chest_pain **and** (breathless or sweating) | A guideline, 1.1 |" in page
    assert "bleeding **and** pregnant, without nosebleed; female" in page
    assert "head_injury **and** vomiting, in one sentence; age from 1 years" in page
    assert "fever; age below 0.25 years (must be known)" in page
    assert "| zh | 他没有呼吸了<br>孩子没呼吸<br>患者呼吸停止 |" in page


def test_the_page_of_the_shipped_rules_is_as_the_rules_are() -> None:
    assert TABLE.read_text(encoding="utf-8") == rules_page(read_rules(RULES)), "run `make red-flags`"
