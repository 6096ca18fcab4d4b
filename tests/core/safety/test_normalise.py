"""Whatever the rules read leads back to the characters that were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.safety.normalise import Normaliser, whole_word

NORMALISER = Normaliser({"cannot": "can not", "can't": "can not", "diarrhoea": "diarrhea", "胸囗": "胸口"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("CHEST Pain", "chest pain"),
        ("ＣＨＥＳＴ　ｐａｉｎ", "chest pain"),
        ("體溫３９．５℃", "体温39.5°c"),
        ("頭暈，喘唔過氣", "头晕,喘唔过气"),
        ("caf\u00e9 nai\u0308ve", "cafe naive"),
        ("can’t breathe", "can not breathe"),
        ("CANNOT", "can not"),
        ("scanty", "scanty"),
        ("DIARRHOEA", "diarrhea"),
        ("胸囗疼", "胸口疼"),
        ("3-week-old", "3 week old"),
        ("38-39", "38-39"),
        ("a  \t b", "a b"),
        ("a\r\nb", "a\n\nb"),
        ("chest\u200b pain", "chest pain"),
        ("ch\u00adest", "chest"),
        ("5㎎ ﬁt", "5mg fit"),
        ("x\ud800y", "x y"),
        ("\u202echest pain\u202c", "chest pain"),
        ("胸痛……", "胸痛。。"),
        ("", ""),
    ],
)
def test_what_means_the_same_reads_the_same(written: str, read: str) -> None:
    assert NORMALISER.normalise(written).text == read


@pytest.mark.parametrize(
    ("written", "found", "stretch"),
    [
        ("I  have ＣＨＥＳＴ　 pain", "chest pain", "ＣＨＥＳＴ　 pain"),
        ("he can’t breathe", "not breathe", "can’t breathe"),
        ("有胸囗疼", "口疼", "胸囗疼"),
        ("5㎎", "mg", "㎎"),
        ("a\u200b\u200bbc", "bc", "bc"),
        ("ﬁts", "its", "ﬁts"),
    ],
)
def test_a_stretch_leads_back_to_what_was_written(written: str, found: str, stretch: str) -> None:
    normal = NORMALISER.normalise(written)
    start = normal.text.index(found)
    first, last = normal.written(start, start + len(found))
    assert written[first:last] == stretch


@given(st.text())
def test_every_character_leads_back_into_the_text(text: str) -> None:
    normal = NORMALISER.normalise(text)
    assert len(normal.starts) == len(normal.ends) == len(normal.text)
    for place in range(len(normal.text)):
        first, last = normal.written(place, place + 1)
        assert 0 <= first < last <= len(text)


@given(st.text(), st.text())
def test_another_line_changes_nothing_before_it(text: str, more: str) -> None:
    before = NORMALISER.normalise(text + "\n").text
    assert NORMALISER.normalise(text + "\n" + more).text.startswith(before)


def test_words_of_rules_take_the_form_of_texts() -> None:
    assert NORMALISER.words(["Can't  breathe", "体温", "X-ray"]) == ["can not breathe", "体温", "x ray"]
    assert NORMALISER.words([]) == []


@pytest.mark.parametrize(
    ("text", "start", "end", "whole"),
    [("pain", 0, 4, True), ("paint", 0, 4, False), ("spain", 1, 5, False), ("胸痛a", 0, 2, True), ("a.b", 0, 1, True)],
)
def test_a_latin_word_is_whole_or_not(text: str, start: int, end: int, whole: bool) -> None:
    assert whole_word(text, start, end) is whole
