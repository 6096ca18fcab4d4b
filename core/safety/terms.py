"""How a rule writes words: as they are, `suffocat*` for any ending, `...` for a few other words between."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from core.safety.normalise import Normaliser

Tongue = Literal["en", "zh"]
MOST_PLACES = 1000  # of one term or finding that are looked at closely
GAP_WORDS, GAP_CHARACTERS = 4, 8  # what `...` may stand for, in English words and in Chinese characters
Span = tuple[int, int]
Places = dict[int, list[Span]]  # by target: where its terms stand (end exclusive)


class Piece(NamedTuple):
    """A stretch of a term that is written as it is.

    Attributes:
        text: in normal form.
        open: whether its last word may go on (`suffocat*`).
        follows: right after the piece before it; otherwise after `...`.
    """

    text: str
    open: bool
    follows: bool


def parse_terms(written: Sequence[str], normaliser: Normaliser) -> list[tuple[Piece, ...]]:
    """The pieces of each term.

    Raises:
        ValueError: a term has no words, or a `*` that doesn't end a word.
    """
    marked = {place: _draft(term) for place, term in enumerate(written) if _is_marked(term)}
    texts = list(written)
    for place, draft in marked.items():
        texts[place] = draft[0][0]
        texts += [text for text, _, _ in draft[1:]]
    forms = normaliser.words(texts)
    others = iter(forms[len(written) :])
    terms: list[tuple[Piece, ...]] = [(Piece(form, False, False),) for form in forms[: len(written)]]
    for place, draft in marked.items():
        first = Piece(forms[place], draft[0][1], False)
        terms[place] = (first, *(Piece(next(others), is_open, follows) for _, is_open, follows in draft[1:]))
    if "" in forms:
        wrong = next(place for place, term in enumerate(terms) if any(not piece.text for piece in term))
        raise ValueError(f"“{written[wrong]}” has a part without a letter or digit")
    return terms


def _is_marked(term: str) -> bool:
    return "*" in term or ".." in term or "…" in term


def _draft(term: str) -> list[tuple[str, bool, bool]]:
    """Text, open and follows of each piece, before the text is in normal form."""
    pieces: list[tuple[str, bool, bool]] = []
    for segment in term.replace("…", "...").split("..."):
        if "*" not in segment:
            pieces.append((segment.strip(), False, False))
            continue
        *opened, last = segment.split("*")
        if any(part[:1].strip() for part in (*opened[1:], last)) or not all(part.strip() for part in opened):
            raise ValueError(f"“{term}” has a * that does not end a word")
        pieces += [(part.strip(), True, place > 0) for place, part in enumerate(opened)]
        if last.strip():
            pieces.append((last.strip(), False, True))
    if not all(text for text, _, _ in pieces):
        raise ValueError(f"“{term}” has nothing before or after its ...")
    return pieces
