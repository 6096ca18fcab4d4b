import pytest

from app.answer import REASON_WORDS
from app.edge import plain
from core.records.reasons import REASONS


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("71%", "71%"),
        (">99%", r"\>99%"),
        ("儿科", "儿科"),
        ("# [a](b)", r"\# \[a\]\(b\)"),
        ("a_b", r"a\_b"),
        ("1. a", r"1\. a"),
        ("- a-b 2.5", r"\- a-b 2.5"),
        ("\\", r"\\"),
    ],
)
def test_what_markdown_would_change_is_escaped(text: str, escaped: str) -> None:
    assert plain(text) == escaped


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(REASONS)
