"""Red flags as the Triage page shows them, beside an answer or in place of one."""

from collections.abc import Iterable, Sequence

import streamlit as st

from app.edge import plain
from app.text import Voice
from core.notes import RedFlagHit

LINES = 3  # rules in the open; all of them, with sources, are folded below, so that the answer stays in sight


def show_red_flags(flags: Sequence[RedFlagHit], say: Voice) -> None:
    """What must not be missed: the level demanded, and the rules' names with the words that they rest on."""
    if not flags:
        return
    level = say.wording.label("acuity", str(min(hit.acuity for hit in flags)))
    lines = [_met(hit, say) for hit in flags[:LINES]]
    if len(flags) > LINES:
        lines.append(say("and {count} more, below", count=len(flags) - LINES))
    title = say("Must not be missed: at least {level}", level=level)
    st.error(_bullets(lines), title=title, icon=":material/flag:")


def show_sources(flags: Sequence[RedFlagHit], say: Voice) -> None:
    """Every rule that is met, with its source, folded."""
    if flags:
        with st.expander(say("Red flags with their sources"), icon=":material/menu_book:"):
            st.markdown(_bullets(f"{_met(hit, say)}  \n{plain(hit.source)}" for hit in flags))


def show_red_flags_alone(flags: Sequence[RedFlagHit] | None, say: Voice) -> None:
    """What the rules say of a note that the model could not judge; `None`: they could not be read either."""
    if flags is None:
        st.warning(say("Red flags could not be looked for either."), icon=":material/flag:")
    elif flags:
        show_red_flags(flags, say)
        show_sources(flags, say)
    else:
        st.info(say("No red flag was found in the text. That is no all-clear."), icon=":material/flag:")


def _met(hit: RedFlagHit, say: Voice) -> str:
    quoted = dict.fromkeys(f"“{' '.join(evidence.text.split())}”" for evidence in hit.evidence)
    return f"**{plain(say.wording.red_flag(hit.id))}**: {plain(say(', ').join(quoted))}"


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
