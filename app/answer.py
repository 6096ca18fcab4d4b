"""How an assessment looks on the page."""

import re

import streamlit as st

from app.text import say
from core.notes import Assessment, TaskAnswer
from core.wording import Speech, Wording, percent, shown_labels, tasks_in_order

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+.!|<>~$:-])")


def show_answer(assessment: Assessment, language: Speech) -> None:
    """Acuity first, then whether a person must decide, then the other tasks, warnings and the model."""
    wording = Wording(language)
    answers = tasks_in_order(assessment)
    with st.container(border=True):
        for answer in answers:
            if answer.task == "acuity":
                st.metric(wording.task(answer.task), wording.label(answer.task, answer.label))
                st.write(f"{say('probability', language)}: {plain(percent(answer.probability))}")
        _show_review(assessment, wording)
        others = [answer for answer in answers if answer.task != "acuity"]
        for column, answer in zip(st.columns(max(1, len(others))), others, strict=False):
            with column:
                _show_table(answer, wording)
        if assessment.warnings:
            st.info(_bullets([wording.warning(code) for code in assessment.warnings]), title=say("notice", language))
        model = f"{assessment.model.bundle} {assessment.model.version}"
        st.caption(f"{say('model', language)}: {plain(model)}")


def plain(text: str) -> str:
    """Text that Markdown shows as it is: `>99%` is no quotation, and a site's label no heading."""
    return _MARKDOWN.sub(r"\\\1", text)


def _show_review(assessment: Assessment, wording: Wording) -> None:
    if assessment.needs_review:
        reasons = [wording.reason(reason) for reason in assessment.reasons]
        st.warning(_bullets(reasons), title=say("review", wording.language), icon=":material/person_raised_hand:")
    else:
        st.success(say("clear", wording.language), icon=":material/check:")


def _show_table(answer: TaskAnswer, wording: Wording) -> None:
    name, language = wording.task(answer.task), wording.language
    st.subheader(name)
    rows = [
        (plain(wording.label(answer.task, label)), plain(percent(probability)))
        for label, probability in shown_labels(answer)
    ]
    columns = {say("label", language): [row[0] for row in rows], say("probability", language): [row[1] for row in rows]}
    st.table(columns, hide_index=True, alt=name)


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)
