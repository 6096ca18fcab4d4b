"""Why the answer is what it is, on the Triage page: worked out only for who asks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.desk import open_desk
from app.edge import plain
from app.text import Voice
from core.notes import Assessment
from core.why import Phrase, SimilarNote
from core.wording import FIRST, tasks_in_order

if TYPE_CHECKING:
    from app.answer_sitting import Sitting

LEAST_EFFECT = 0.03  # a smaller change of a probability is not worth a line
SHORT = 160  # characters of a note that are shown
MARKS = "，,。.;；、 "  # what ends a phrase and need not be shown


def show_why(at: "Sitting", say: Voice) -> None:
    """A folded panel: what each phrase does to the answers, and similar notes with their labels."""
    panel = st.expander(say("Why this answer?"), icon=":material/help_center:", key="why", on_change="rerun")
    if not panel.open or at.assessment is None:
        return
    with panel:
        if at.why is None:
            with st.spinner(say("Reading the note once more, a phrase at a time left out…")):
                at.explain(open_desk)
        if at.why is None:
            st.warning(say("That can't be worked out now. The answer stands."), icon=":material/cloud_off:")
        else:
            _show_phrases(at.why.phrases, at.assessment, say)
            _show_similar(at.why.similar, say)


def _show_phrases(phrases: Sequence[Phrase], assessment: Assessment, say: Voice) -> None:
    st.markdown(f"**{say('Phrases that moved the answer')}**")
    if not phrases:
        st.markdown(say("The note is a single phrase; there is nothing to compare it with."))
        return
    lines = [line for phrase in phrases if (line := _effect(phrase, assessment, say))]
    st.markdown("\n".join(lines) or say("No single phrase decided it."))
    st.caption(say("The change of an answer's probability, in points, when the phrase is there."))


def _effect(phrase: Phrase, assessment: Assessment, say: Voice) -> str:
    parts = []
    for answer in tasks_in_order(assessment):
        effect = phrase.effects.get(answer.task, 0.0)
        if abs(effect) >= LEAST_EFFECT:
            parts.append(f"{say.wording.task(answer.task)} {100 * effect:+.0f}".replace("-", "−"))
    words = " ".join(phrase.words.text.split()).rstrip(MARKS)
    return f"- “{plain(words)}”: {plain(' · '.join(parts))}" if parts else ""


def _show_similar(similar: Sequence[SimilarNote], say: Voice) -> None:
    if not similar:
        return
    st.markdown(f"**{say('Similar notes that the model learned from')}**")
    st.markdown("\n".join(_similar(each, say) for each in similar))
    st.caption(say("Written for this desk as examples; nobody's own messages."))


def _similar(note: SimilarNote, say: Voice) -> str:
    text = note.text if len(note.text) <= SHORT else f"{note.text[:SHORT]}…"
    rank = {task: place for place, task in enumerate(FIRST)}
    tasks = sorted(note.labels, key=lambda task: rank.get(task, len(FIRST)))
    labels = " · ".join(say.wording.label(task, note.labels[task]) for task in tasks)
    return f"- {plain(text)}  \n  **{plain(labels)}**"
