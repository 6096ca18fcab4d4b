"""Rules for the tests of the engine: a few of their own, with the shipped cues and spelling."""

import shutil
from pathlib import Path

import pytest

from core.safety.red_flags import RULES, RedFlags
from core.safety.rule_files import read_rules

SMALL = Path(__file__).parent / "rules"


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five rules."""
    return small_rules(tmp_path_factory.mktemp("rules") / "small")


@pytest.fixture(scope="session")
def flags(small_folder: Path) -> RedFlags:
    """The five rules."""
    return RedFlags.load(small_folder)


def small_rules(folder: Path) -> Path:
    """The five rules, copied into a folder that is made."""
    shutil.copytree(SMALL, folder)
    for name in ("scopes.toml", "spelling.toml"):
        shutil.copy(RULES / name, folder)
    return folder


@pytest.fixture(scope="session")
def shipped_texts() -> tuple[str, ...]:
    """Every text that a shipped rule must match."""
    book = read_rules(RULES)
    return tuple(text for texts in book.texts.values() for rule in texts.values() for text in rule.match)
