"""Every rule's own texts: those that it must match and those that it must not, in both languages.

The shipped rules (models/red_flags) and the few rules of the tests are run alike. `-k chest_pain` runs one rule.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from core.safety.red_flags import RULES, RedFlags
from core.safety.rule_files import TONGUES, read_rules
from core.safety.rules import Area
from tests.core.safety.conftest import SMALL, small_rules

FEWEST_RULES = 60


@cache
def flags_of(folder: Path) -> RedFlags:
    return RedFlags.load(folder)


@cache
def table(path: Path) -> dict[str, Any]:
    """The file as it stands; other tests tell what is wrong with it."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def cases() -> list[object]:
    """Folder, rule, its texts of one language, whether they must match."""
    return [
        pytest.param(
            folder, rule["id"], texts[kind], kind == "match",
            id=f"{'small-' if folder == SMALL else ''}{rule['id']}-{language}-{kind}",
        )
        for folder in (RULES, SMALL)
        for rule in table(folder / "rules.toml").get("rules", [])
        for language in TONGUES
        for texts in [table(folder / f"{language}.toml").get("texts", {}).get(rule["id"], {})]
        for kind in ("match", "no_match")
        if kind in texts
    ]  # fmt: skip


@pytest.mark.parametrize(("folder", "rule", "texts", "expected"), cases())
def test_a_rule_meets_its_texts_and_no_others(
    folder: Path, rule: str, texts: tuple[str, ...], expected: bool, small_folder: Path
) -> None:
    flags = flags_of(small_folder if folder == SMALL else folder)
    wrong = [text for text in texts if (rule in {hit.id for hit in flags.find(text)}) is not expected]
    assert not wrong, f"{'missed' if expected else 'matched, and must not'}: {wrong}"


def test_the_shipped_rules_can_be_used() -> None:
    RedFlags.load(RULES)


def test_the_shipped_rules_are_enough_and_cover_every_area() -> None:
    rules = read_rules(RULES).rules
    assert len(rules) >= FEWEST_RULES
    assert {rule.area for rule in rules} == set(get_args(Area))


def test_the_shipped_rules_use_every_finding_that_has_words() -> None:
    book = read_rules(RULES)
    used = frozenset().union(*(rule.findings for rule in book.rules))
    assert not {name for findings in book.findings.values() for name in findings if name not in used}


def test_a_copy_of_the_small_rules_loads(tmp_path: Path) -> None:
    assert len(RedFlags.load(small_rules(tmp_path / "copy")).rules) == 5
