import pytest

from app.text import FOLDERS, LANGUAGES, Voice, language_of_reader
from core.wording import Speech


@pytest.mark.parametrize(
    ("preferred", "browser", "language"),
    [(None, "zh-CN", "zh"), (None, "zh-Hant", "zh"), (None, "en-GB", "en"), (None, "fr", "en"), (None, None, "en"),
     ("zh", "en-GB", "zh"), ("en", "zh-CN", "en")],
)  # fmt: skip
def test_the_site_decides_the_language_and_then_the_browser(
    preferred: Speech | None, browser: str | None, language: Speech
) -> None:
    assert language_of_reader(preferred, browser) == language


def test_a_sentence_is_said_in_the_reader_s_language() -> None:
    assert Voice("en")("Next note") == "Next note"
    assert Voice("zh")("Next note") == "下一位"


def test_values_stand_in_their_places() -> None:
    assert Voice("en")("see within {minutes} minutes", minutes=10) == "see within 10 minutes"
    assert Voice("zh")("see within {minutes} minutes", minutes=10) == "10 分钟内就诊"


def test_a_sentence_without_values_may_hold_braces() -> None:
    assert Voice("en")("{not a value") == "{not a value"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_no_catalogue_knows_stays_as_it_is(language: Speech) -> None:
    assert Voice(language)("Nobody says this") == "Nobody says this"


def test_labels_have_the_names_that_the_command_line_gives_them() -> None:
    assert Voice("zh").wording.label("department", "cardiology") == "心血管内科"
    assert FOLDERS.keys() == LANGUAGES.keys()
