"""What masking promises: identifiers are found, clinical numbers stay, and nothing else of a note changes."""

import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.safety.identifier_kinds import KINDS, placeholder
from core.safety.identifiers import find_identifiers, mask
from tests.bench.notes import starter_texts
from tests.core.safety.planted import clinical_texts, planted_lines, recall, share_masked

LONG = 1 << 18  # bytes
PIECES = (
    "Mr", "Dr", "Smith", "name is", "姓名", "王小明", "先生", "医生", "患者", "男", "叫", "DOB", "born", "3 May 1987",
    "出生", "1987年3月5日", "13812345678", "+44 7700 900356", "020 7946 0118", "a@example.com", "MRN", "住院号",
    "004188",
    "NHS", "943 476 5919", "11010519491231002X", "14 Elm Grove", "Leeds LS6 2AB", "北京市海淀区清河街68号", "[phone]",
    "[电话]", "[", "]", ":", "：", ",", "。", " ", "\n", "\u200b", "１", "7", "-", "x", "ß", "\ud800", "BP 160/95",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES)).map(" ".join),
)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find_identifiers(text)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("held_out", [False, True])
def test_planted_identifiers_are_found(language: str, held_out: bool) -> None:
    lines = [line for line in planted_lines() if (line.language, line.held_out) == (language, held_out)]
    assert len(lines) >= 125
    assert recall(lines) >= 0.99, [(line.text, line.missed) for line in lines if line.missed]


def test_a_planted_identifier_is_called_what_it_is() -> None:
    """Nearly all are: one telephone number in eleven has the check digit of an NHS number."""
    right = [
        any(one.kind == other.kind and other.start < one.end and one.start < other.end for other in found)
        for line in planted_lines()
        for found in [find_identifiers(line.text)]
        for one in line.promised
    ]
    assert sum(right) / len(right) >= 0.99


def test_clinical_numbers_are_left() -> None:
    texts = clinical_texts()
    assert len(texts) >= 300
    assert share_masked(texts) <= 0.01


def test_little_around_an_identifier_is_masked_with_it() -> None:
    masked = around = 0
    for line in planted_lines():
        planted = {place for one in line.planted for place in range(one.start, one.end)}
        found = {place for one in find_identifiers(line.text) for place in range(one.start, one.end)}
        outside = [place for place in range(len(line.text)) if place not in planted]
        masked += len(found.intersection(outside))
        around += len(outside)
    assert masked / around <= 0.01


def test_notes_that_name_nobody_stay_as_they_are() -> None:
    texts = starter_texts()
    assert sum(mask(text) != text for text in texts) <= len(texts) / 1000


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Dr Nwosu-Bright saw her", "Dr [name] saw her"),
        ("Call 07700 900142, BP 160/95", "Call [phone], BP 160/95"),
        ("ＤＯＢ：１９９０／０１／０１", "ＤＯＢ：[date of birth]"),
        ("MRN8820147", "MRN[record number]"),
        ("电话138\u200b1234\u200b5678，血压160/95", "电话[电话]，血压160/95"),
        ("王小明先生，体温39.2", "[姓名]先生，体温39.2"),
        ("陳醫生您好", "[姓名]醫生您好"),
        ("姓名李明性别女", "姓名[姓名]性别女"),
        ("住杭州市西湖区文三路259号，孕32周", "住[地址]，孕32周"),
        ("Mr Chen 说他胸口很痛，两个小时了", "Mr [姓名] 说他胸口很痛，两个小时了"),
    ],
)
def test_a_placeholder_stands_for_each_in_the_notes_language(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("11010519491231002X", [("id_card", "11010519491231002X")]),
        ("110105194912310021", []),
        ("身份证号110105194912310021", [("id_card", "110105194912310021")]),
        ("310104490817062", []),
        ("身份证310104490817062", [("id_card", "310104490817062")]),
        ("943 476 5919", [("nhs_number", "943 476 5919")]),
        ("943 476 5918", []),
        ("NHS no 943 476 5918", [("nhs_number", "943 476 5918")]),
        ("219-38-4471", [("ssn", "219-38-4471")]),
        ("666-38-4471", []),
        ("seen 12/03/1990", []),
        ("born 12/03/1990", [("birth_date", "12/03/1990")]),
    ],
)
def test_a_number_counts_by_its_check_or_by_its_label(text: str, found: list[tuple[str, str]]) -> None:
    assert kinds(text) == found


@pytest.mark.parametrize(
    "text",
    ["患者高血压，女，39岁", "对于医生开的药有疑问", "任何医生都说要手术", "叫救护车",
     "I have MS. Since Friday", "the doctor. Each time",
     "dr swapped my pills", "Patient: Asthma, on salbutamol",
     "S1 2ND heart sound", "NHS 111 told me to wait 4 hours",
     "born at 29 weeks, 1180 g", "BP 148 92 151 95 160 101"],
)  # fmt: skip
def test_what_only_looks_like_an_identifier_is_left(text: str) -> None:
    assert kinds(text) == []


def test_every_kind_has_its_words_in_both_languages() -> None:
    words = [placeholder(kind, tongue) for kind in KINDS for tongue in ("en", "zh")]
    assert len(set(words)) == 2 * len(KINDS)
    assert all(find_identifiers(word) == () for word in words)


@given(TEXTS)
@example("a@b.com13812345678")
@example("姓名是王小明")
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(TEXTS)
def test_identifiers_are_stretches_in_order(text: str) -> None:
    found = find_identifiers(text)
    assert all(0 <= one.start < one.end <= len(text) and one.kind in KINDS for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(TEXTS)
def test_nothing_else_changes(text: str) -> None:
    masked, place, done = mask(text), 0, 0
    for one in find_identifiers(text):
        kept = text[done : one.start]
        assert masked[place:].startswith(kept)
        place += len(kept)
        place += next(
            len(word) for tongue in ("en", "zh") if masked[place:].startswith(word := placeholder(one.kind, tongue))
        )
        done = one.end
    assert masked[place:] == text[done:]


@pytest.mark.parametrize(
    "unit",
    ["Seen with cough for 3 days, BP 120/80. ", "咳嗽3天，体温38.5。", "1", "1 ", "1384 ", "Mr A. ", "路1号", "王先生",
     "姓名", "a.", "a@", "a@b.com13812345678", "dob ", "MRN no ", "(", "[phone]"],
)  # fmt: skip
def test_a_long_text_takes_no_more_than_its_share(unit: str) -> None:
    """Sixteen times the text may take sixteen times as long, with room for what else runs here."""
    seconds = {}
    for size in (LONG // 16, LONG):
        note = (unit * (size // len(unit.encode()) + 1)).encode()[:size].decode(errors="ignore")
        begin = time.process_time()
        find_identifiers(note)
        seconds[size] = time.process_time() - begin
    assert seconds[LONG] < 16 * 3 * max(seconds[LONG // 16], 0.02)
