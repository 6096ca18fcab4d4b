"""How an assessment looks on the page."""

import streamlit as st

from app.text import say
from core.notes import Assessment, TaskAnswer
from core.wording import Speech, Wording, percent, shown_labels, tasks_in_order


def show_answer(assessment: Assessment, language: Speech) -> None:
    """Acuity first, then whether a person must decide, then the other tasks, warnings and the model."""
    wording = Wording(language)
    answers = tasks_in_order(assessment)
    with st.container(border=True):
        for answer in answers:
            if answer.task == "acuity":
                st.metric(wording.task(answer.task), wording.label(answer.task, answer.label))
                st.write(f"{say('probability', language)}: {percent(answer.probability)}")
        _show_review(assessment, wording)
        others = [answer for answer in answers if answer.task != "acuity"]
        for column, answer in zip(st.columns(max(1, len(others))), others, strict=False):
            with column:
                _show_table(answer, wording)
        if assessment.warnings:
            st.info(_bullets([wording.warning(code) for code in assessment.warnings]), title=say("notice", language))
        st.caption(f"{say('model', language)}: {assessment.model.bundle} {assessment.model.version}")


def _show_review(assessment: Assessment, wording: Wording) -> None:
    if assessment.needs_review:
        reasons = [wording.reason(reason) for reason in assessment.reasons]
        st.warning(_bullets(reasons), title=say("review", wording.language), icon=":material/person_raised_hand:")
    else:
        st.success(say("clear", wording.language), icon=":material/check:")


def _show_table(answer: TaskAnswer, wording: Wording) -> None:
    name, language = wording.task(answer.task), wording.language
    st.subheader(name)
    rows = [(wording.label(answer.task, label), percent(probability)) for label, probability in shown_labels(answer)]
    columns = {say("label", language): [row[0] for row in rows], say("probability", language): [row[1] for row in rows]}
    st.table(columns, hide_index=True, alt=name)


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
