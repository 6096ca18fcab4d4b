import pytest

from app.answer import plain
from app.text import _TEXT, language_of_reader, say


def test_every_sentence_is_there_in_both_languages() -> None:
    assert _TEXT
    for key in _TEXT:
        assert say(key, "en").isascii() or "…" in say(key, "en")
        assert not say(key, "zh").isascii()


@pytest.mark.parametrize(
    ("preferred", "browser", "language"),
    [(None, "zh-CN", "zh"), (None, "zh-Hant", "zh"), (None, "en-GB", "en"), (None, "fr", "en"), (None, None, "en"),
     ("zh", "en-GB", "zh"), ("en", "zh-CN", "en")],
)  # fmt: skip
def test_the_site_decides_the_language_and_then_the_browser(
    preferred: str | None, browser: str | None, language: str
) -> None:
    assert language_of_reader(preferred, browser) == language  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("71%", "71%"),
        (">99%", r"\>99%"),
        ("儿科", "儿科"),
        ("# [a](b)", r"\# \[a\]\(b\)"),
        ("a_b", r"a\_b"),
        ("\\", r"\\"),
    ],
)
def test_what_markdown_would_change_is_escaped(text: str, escaped: str) -> None:
    assert plain(text) == escaped
