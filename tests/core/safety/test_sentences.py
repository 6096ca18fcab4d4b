from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.safety.sentences import clause_marks, ends_clause, sentence_at, sentence_ends


def sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in pairwise([0, *sentence_ends(text, {"dr", "pt"})])]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one. two! three? four", ["one.", "two!", "three?", "four"]),
        ("一。二！三", ["一。", "二！三"]),
        ("temp 39.5 now", ["temp 39.5 now"]),
        ("67 y.o. man", ["67 y.o.", "man"]),
        ("no pain.chest hurts", ["no pain.", "chest hurts"]),
        ("seen by dr. lee", ["seen by dr. lee"]),
        ("line\nline", ["line", "line"]),
        ("well... no", ["well...", "no"]),
        ("胸痛.发热", ["胸痛.", "发热"]),
        ("", [""]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, found: list[str]) -> None:
    assert sentences(text) == found


def test_a_place_is_in_its_sentence() -> None:
    ends = sentence_ends("one. two.")
    assert sentence_at(ends, 0) == (0, 4)
    assert sentence_at(ends, 5) == (4, 9)
    assert sentence_at(ends, 9) == (9, 9)


@pytest.mark.parametrize(
    ("between", "ends"),
    [(" in my ", False), (", ", True), (" 7.5 ", False), (". ", True), ("很", False), ("。", True), ("痛 头", True)],
)
def test_a_clause_ends_at_its_marks(between: str, ends: bool) -> None:
    assert ends_clause(between) is ends


def test_marks_between_clauses_have_their_places() -> None:
    assert clause_marks("a, b; c", 0, 7) == [(1, ","), (4, ";")]


@given(st.text(alphabet="ab. ,。\n9"), st.text(alphabet="ab. ,。\n9"))
def test_another_line_moves_no_end_before_it(text: str, more: str) -> None:
    ends = sentence_ends(text + "\n")
    assert sentence_ends(text + "\n" + more)[: len(ends) - 1] == ends[:-1]
