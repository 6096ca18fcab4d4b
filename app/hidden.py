"""Names, numbers and addresses in notes are hidden in lists, unless the reader switches that off."""

from collections.abc import Callable

import streamlit as st

from app.text import Voice
from core.safety.identifiers import mask


def hide_switch(say: Voice, key: str, *, default: bool = True, label: str = "") -> bool:
    """A switch that hides identifiers; whether it is on."""
    return st.toggle(
        label or say("Hide identifiers"),
        value=default,
        key=key,
        persist_state="session",
        help=say(
            "Names beside a title, numbers, addresses and dates of birth are replaced where the desk recognises them. "
            "A name without a title may stay: look before you share."
        ),
    )


def is_hiding(key: str) -> bool:
    """Whether that switch is on, wherever on the page it stands."""
    return bool(st.session_state.get(key, True))


def hider(texts: tuple[str, ...], key: str) -> Callable[[int], str]:
    """Gives a note's text by its place, masked, each once in a session; as written where the switch is off.

    Args:
        texts: of a set of notes; other ones forget what was masked.
        key: the switch's.
    """
    if not is_hiding(key):
        return texts.__getitem__
    kept: tuple[tuple[str, ...], dict[int, str]] = st.session_state.get(f"{key}_masked") or (texts, {})
    if kept[0] is not texts:
        kept = texts, {}
    st.session_state[f"{key}_masked"] = kept

    def hidden(place: int) -> str:
        if place not in kept[1]:
            kept[1][place] = mask(texts[place])
        return kept[1][place]

    return hidden
