"""Hashed n-grams: what is counted, and that a batch counts as each text alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import ngrams
from core.model.ngrams import NGRAM_COLUMNS, hashed_ngrams


def counted(text: str) -> Counter[str]:
    """The n-grams of a text, written plainly."""
    found: Counter[str] = Counter()
    for word in text.lower().split():
        padded = f" {word} "
        found.update(word)
        for length in (2, 3, 4):
            found.update(padded[start : start + length] for start in range(len(padded) - length + 1))
    return found


@given(st.text())
def test_every_ngram_inside_a_word_is_counted_once(text: str) -> None:
    row = hashed_ngrams([text])
    wanted = counted(text)
    assert row.sum() == wanted.total()
    assert row.nnz <= len(wanted)  # two n-grams may share a column


def test_few_ngrams_share_a_column() -> None:
    text = " ".join(f"word{number} 词{chr(0x4E00 + 7 * number)}" for number in range(300))
    assert hashed_ngrams([text]).nnz > 0.97 * len(counted(text))


@given(st.lists(st.text(max_size=12), max_size=8))
def test_a_batch_counts_as_each_text_alone(texts: list[str]) -> None:
    together = hashed_ngrams(texts)
    assert together.shape == (len(texts), NGRAM_COLUMNS)
    for row, text in enumerate(texts):
        assert (together[[row]] != hashed_ngrams([text])).nnz == 0


def test_blocks_of_texts_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"note {number} 头疼" for number in range(9)]
    whole = hashed_ngrams(texts)
    monkeypatch.setattr(ngrams, "BLOCK", 4)
    assert (hashed_ngrams(texts) != whole).nnz == 0


@pytest.mark.parametrize("other", ["CHEST Pain", " chest\tpain\n", "chest\u3000pain"])
def test_case_and_white_space_do_not_count(other: str) -> None:
    assert (hashed_ngrams([other]) != hashed_ngrams(["chest pain"])).nnz == 0


def test_columns_never_change() -> None:
    """Bundles depend on them: a change here asks for new bundles."""
    row = hashed_ngrams(["胸痛 ab"])
    assert row.has_sorted_indices
    assert row.indices.tolist() == [
        10229, 17978, 25004, 25572, 28220, 29929, 30399, 30921, 40334, 40412, 49577, 55191, 56602, 59609, 61316, 65196,
    ]  # fmt: skip
