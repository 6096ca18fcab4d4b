"""The note's words that red flags rest on, marked. Pure: from text to safe HTML."""

from collections.abc import Iterable
from html import escape

from core.notes import RedFlagHit

AROUND = 120  # characters shown on each side of marked words
Span = tuple[int, int]


def spans_of(flags: Iterable[RedFlagHit], length: int) -> list[Span]:
    """Where words are marked in a text of `length` characters: in order, joined where they overlap."""
    found = [(e.start, min(e.end, length)) for flag in flags for e in flag.evidence]
    return _joined((start, end) for start, end in found if 0 <= start < end)


def marked(text: str, flags: Iterable[RedFlagHit], around: int = AROUND) -> str:
    """HTML of the passages with marked words, what lies between them left out as `…`; empty where none are marked."""
    spans = spans_of(flags, len(text))
    passages = _joined((max(0, start - around), min(len(text), end + around)) for start, end in spans)
    shown = " … ".join(_passage(text, passage, spans) for passage in passages)
    if not passages:
        return ""
    return f"{'… ' if passages[0][0] else ''}{shown}{' …' if passages[-1][1] < len(text) else ''}"


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _passage(text: str, passage: Span, spans: Iterable[Span]) -> str:
    place, end = passage
    parts = []
    for first, last in spans:
        if place <= first < end:
            parts.append(f"{escape(text[place:first])}<mark>{escape(text[first:last])}</mark>")
            place = last
    return "".join(parts) + escape(text[place:end])
