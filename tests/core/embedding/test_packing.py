from hypothesis import given
from hypothesis import strategies as st

from core.embedding.packing import pack
from core.embedding.text import estimate_tokens


@given(st.lists(st.text(max_size=80), max_size=60), st.integers(1, 9), st.integers(10, 300))
def test_lists_keep_order_lose_nothing_and_stay_within_both_limits(texts: list[str], count: int, tokens: int) -> None:
    parts = [texts[part] for part in pack(texts, max_texts=count, max_tokens=tokens)]
    assert [text for part in parts for text in part] == texts
    for part in parts:
        assert 0 < len(part) <= count
        assert len(part) == 1 or sum(map(estimate_tokens, part)) <= tokens


def test_a_list_is_filled_before_the_next_is_begun() -> None:
    assert list(pack(["a"] * 10, max_texts=4, max_tokens=10_000)) == [slice(0, 4), slice(4, 8), slice(8, 10)]
