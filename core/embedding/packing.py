"""How texts are put into request lists."""

from collections.abc import Iterator, Sequence

from core.embedding.text import estimates


def pack(texts: Sequence[str], *, max_texts: int, max_tokens: int) -> Iterator[slice]:
    """Consecutive slices of `texts`, each within both limits; a text that alone is over the budget travels alone.

    Args:
        texts: what is sent, in order.
        max_texts: most texts a list.
        max_tokens: most estimated tokens a list.
    """
    start, used = 0, 0
    for place, tokens in enumerate(estimates(texts).tolist()):
        if place > start and (place - start >= max_texts or used + tokens > max_tokens):
            yield slice(start, place)
            start, used = place, 0
        used += tokens
    if start < len(texts):
        yield slice(start, len(texts))
