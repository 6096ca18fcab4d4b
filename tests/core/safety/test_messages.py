"""The rules on whole messages, one a line: emergencies must hit a rule, ordinary questions must not.

The messages were written for this project. The emergencies were written before the words of the rules were mended by
them; how many hit then stands in the first line of the English file, and says more of unseen messages than the shares
here.
"""

from pathlib import Path

import pytest

from core.safety.red_flags import RULES, RedFlags

URGENT = 2
FEWEST_HIT = {"en": 0.95, "zh": 0.90}
MOST_FALSE = 0.05


@pytest.fixture(scope="module")
def shipped() -> RedFlags:
    """The shipped rules."""
    return RedFlags.load(RULES)


def messages(name: str) -> list[str]:
    """The messages of a file."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_emergencies_hit_a_rule(language: str, shipped: RedFlags) -> None:
    texts = messages(f"emergencies_{language}.txt")
    missed = [text for text in texts if not any(hit.acuity <= URGENT for hit in shipped.find(text))]
    assert 1 - len(missed) / len(texts) >= FEWEST_HIT[language], missed


@pytest.mark.parametrize("language", ["en", "zh"])
def test_ordinary_messages_hit_none(language: str, shipped: RedFlags) -> None:
    texts = messages(f"ordinary_{language}.txt")
    hit = [text for text in texts if shipped.find(text)]
    assert len(hit) / len(texts) <= MOST_FALSE, hit
