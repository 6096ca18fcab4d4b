"""Every sentence on screen is there in both languages, and no other."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.locale.extract import ENGLISH, placeholders, sentences, translations, write_english
from app.text import LOCALE

CHINESE = sorted((LOCALE / "zh_CN" / "LC_MESSAGES").glob("*.po"))


def catalogue(path: Path) -> Catalog:
    return read_po(BytesIO(path.read_bytes()), locale=path.parts[-3], abort_invalid=True)


def messages(path: Path) -> list[Message]:
    return [message for message in catalogue(path) if message.id]


def test_every_sentence_in_the_app_has_a_chinese_one() -> None:
    spoken = translations()
    assert [sentence for sentence in sentences() if not spoken.get(sentence)] == []


def test_no_chinese_sentence_is_left_over() -> None:
    used = sentences()
    assert [sentence for sentence in translations() if sentence not in used] == []


def test_both_languages_hold_places_for_the_same_values() -> None:
    assert {en: zh for en, zh in translations().items() if placeholders(en) != placeholders(zh)} == {}


def test_no_two_catalogues_say_the_same_sentence_differently() -> None:
    said: dict[str, set[str]] = {}
    for path in CHINESE:
        for message in messages(path):
            said.setdefault(str(message.id), set()).add(str(message.string))
    assert {sentence: ways for sentence, ways in said.items() if len(ways) > 1} == {}


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.name)
def test_no_chinese_sentence_is_a_guess(path: Path) -> None:
    assert [message.id for message in messages(path) if message.fuzzy] == []
    assert catalogue(path).charset.lower() == "utf-8"


def test_every_chinese_sentence_is_translations() -> None:
    latin = {zh for zh in translations().values() if not re.search(r"[\u4e00-\u9fff]", zh)}
    assert {zh for zh in latin if re.search(r"[A-Za-z]{3}", zh)} == set()


def test_the_english_catalogue_is_complete_and_says_what_the_source_says(tmp_path: Path) -> None:
    write_english(tmp_path / "desk.po")
    assert ENGLISH.read_bytes() == (tmp_path / "desk.po").read_bytes(), "run `make locale`"
    assert {str(message.id): str(message.string) for message in messages(ENGLISH)} == {one: one for one in sentences()}
