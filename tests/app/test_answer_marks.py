import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from app.answer_marks import marked, spans_of
from core.notes import Evidence, RedFlagHit


def flag(text: str, *spans: tuple[int, int]) -> RedFlagHit:
    return RedFlagHit("rule", 2, tuple(Evidence(start, end, text[start:end]) for start, end in spans), "a handbook")


def test_a_note_without_red_flags_has_no_marks() -> None:
    assert marked("胸口痛", ()) == ""


def test_the_words_are_marked_in_their_place() -> None:
    text = "胸口压着痛，出冷汗"
    assert marked(text, [flag(text, (0, 2), (6, 9))]) == "<mark>胸口</mark>压着痛，<mark>出冷汗</mark>"


def test_overlapping_words_are_one_mark() -> None:
    text = "胸口压着痛"
    assert marked(text, [flag(text, (0, 3)), flag(text, (2, 5))]) == "<mark>胸口压着痛</mark>"


def test_what_a_note_says_is_never_html() -> None:
    text = "<b>pain</b> & <script>"
    shown = marked(text, [flag(text, (3, 7))])
    assert shown == "&lt;b&gt;<mark>pain</mark>&lt;/b&gt; &amp; &lt;script&gt;"


def test_a_long_note_is_shown_only_around_its_marks() -> None:
    text = "啊" * 500_000 + "胸痛" + "啊" * 500_000 + "气短" + "啊" * 9
    shown = marked(text, [flag(text, (500_000, 500_002), (1_000_002, 1_000_004))], around=5)
    assert shown == "… 啊啊啊啊啊<mark>胸痛</mark>啊啊啊啊啊 … 啊啊啊啊啊<mark>气短</mark>啊啊啊啊啊 …"


def test_spans_outside_of_the_text_are_left_out() -> None:
    assert spans_of([flag("abc", (1, 99), (5, 9), (2, 2))], 3) == [(1, 3)]


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=5))
def test_marks_change_no_word(text: str, spans: list[tuple[int, int]]) -> None:
    shown = marked(text, [flag(text, *spans)], around=50)
    assert shown == "" or unescape(re.sub("</?mark>", "", shown)) == text
