"""How an answer looks on the page, and the buttons that accept or override it."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.answer_flags import show_red_flags, show_sources
from app.answer_keys import (
    CANCEL_KEY,
    choices,
    key_of,
    more_choices,
    reason_key,
    reasons_for,
)
from app.answer_sitting import Book, Override, Sitting
from app.answer_why import show_why
from app.charts.answer import probability_bars, shown_bars
from app.edge import plain
from app.figure import PLAIN_CHART, is_dark
from app.text import Voice
from core.model.scheme import scheme_in_use
from core.notes import Assessment, Note, TaskAnswer
from core.settings import load_settings
from core.wording import FIRST, percent, tasks_in_order


class AnswerView:
    """Draws one sitting's answer.

    Attributes:
        sitting: what to draw.
        book: where decisions go.
        say: the reader's language.
        note_now: gives the note in the box; where it is not the one answered, nothing can be decided.
        has_keys: whether single keys press buttons.
    """

    def __init__(
        self, sitting: Sitting, book: Book, say: Voice, note_now: Callable[[], Note], *, has_keys: bool
    ) -> None:
        self.sitting, self.book, self.say = sitting, book, say
        self.note_now, self.has_keys = note_now, has_keys

    @property
    def is_stale(self) -> bool:
        """Whether the box holds another note by now."""
        return self.sitting.differs_from(self.note_now())

    def show(self, assessment: Assessment) -> None:
        """Acuity first, then whether a person must decide, then the other tasks, warnings and the model."""
        answers = tasks_in_order(assessment)
        self._show_troubles()
        for answer in answers:
            if answer.task == "acuity":
                self._show_acuity(answer)
        if self.sitting.asking:
            self._ask_reason(self.sitting.asking, assessment.tasks[self.sitting.asking.task].label)
        show_red_flags(assessment.red_flags, self.say)
        self._show_review(assessment)
        others = [answer for answer in answers if answer.task != "acuity"]
        for column, answer in zip(st.columns(max(1, len(others))), others, strict=False):
            with column:
                self._show_task(answer)
        show_sources(assessment.red_flags, self.say)
        show_why(self.sitting, self.say)
        with st.expander(self.say("Probabilities as a table"), icon=":material/table_rows:"):
            self._show_table(answers)
            st.caption(plain(f"{self.say('Model')}: {assessment.model.bundle} {assessment.model.version}"))

    def _show_troubles(self) -> None:
        say = self.say
        if self.is_stale:
            st.warning(
                say("This answer is for the text as it was sent. Send the note again."),
                title=say("The note has changed"),
                icon=":material/sync_problem:",
            )
        if self.sitting.lost:
            st.warning(
                say("The answer stands, but it is not in the records. Write your decision down, or press again."),
                title=say("Not recorded"),
                icon=":material/cloud_off:",
            )

    def _show_acuity(self, answer: TaskAnswer) -> None:
        say = self.say
        label = self.sitting.label("acuity") or answer.label
        level = scheme_in_use().level(label)
        colour, icon = (level.colour, level.icon) if level else ("#444444", "label")
        name = f":material/{icon}: {plain(say.wording.label('acuity', label))}"
        with st.container(border=True, gap="small", key="acuity"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.subheader(
                    f':color[{name}]{{foreground="#ffffff" background="{colour}"}}', width="content", anchor=False
                )
                st.markdown(self._time(level.seen_within if level else None), width="content")
                st.markdown(self._standing(answer, self._chance(answer)), width="content")
            self._show_buttons(answer)

    def _chance(self, answer: TaskAnswer) -> str:
        """How probable the level is, and which likelier one was not taken, so that nobody thinks it a mistake."""
        say, likeliest = self.say, answer.ranked[0]
        chance = f"{say('probability')} {percent(answer.probability)}"
        if likeliest.label == answer.label:
            return chance
        name = say.wording.label(answer.task, likeliest.label)
        share = percent(likeliest.probability)
        if answer.label < likeliest.label:
            return say("{chance}; to be safe not {label}, {share}", chance=chance, label=name, share=share)
        return say("{chance}; likeliest is {label}, {share}", chance=chance, label=name, share=share)

    def _time(self, minutes: int | None) -> str:
        say = self.say
        if minutes is None:
            return f":material/timer_off: {say('no time set by the scheme')}"
        if minutes == 0:
            return f":material/timer: **{say('see at once')}**"
        return f":material/timer: **{say('see within {minutes} minutes', minutes=minutes)}**"

    def _standing(self, answer: TaskAnswer, otherwise: str) -> str:
        """What was decided about a task, else `otherwise`."""
        say, decision = self.say, self.sitting.decisions.get(answer.task)
        if decision is None:
            return plain(otherwise)
        if decision.accepted:
            return f":material/check_circle: {plain(say('Accepted'))}"
        label, given = (say.wording.label(answer.task, one) for one in (decision.decided, decision.given))
        why = say(REASON_WORDS.get(decision.reason, decision.reason))
        return f":material/edit: {plain(say('{label}, not {given}: {why}', label=label, given=given, why=why))}"

    def _show_review(self, assessment: Assessment) -> None:
        say = self.say
        if self.sitting.is_decided:
            st.success(say("You have decided. Next note?"), icon=":material/check:")
        elif assessment.needs_review:
            reasons = [say.wording.reason(reason) for reason in sorted(assessment.reasons, key=_task_first)]
            st.warning(
                plain(" · ".join(reasons)), title=say("A person must decide"), icon=":material/person_raised_hand:"
            )
        elif assessment.red_flags:
            st.info(say("The estimate agrees with the red flags. A person still decides."), icon=":material/check:")
        else:
            st.success(say("No reason for review found. A person still decides."), icon=":material/check:")

    def _show_task(self, answer: TaskAnswer) -> None:
        say = self.say
        name = say.wording.task(answer.task)
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, gap="small"):
                st.markdown(f"**{plain(name)}**", width="content")
                st.markdown(self._standing(answer, ""), width="content")
            st.plotly_chart(
                probability_bars(answer, say, is_dark=is_dark()),
                key=f"bars_{answer.task}",
                config=PLAIN_CHART,
                alt=say("Probability of the likeliest answers: {task}", task=name),
            )
            self._show_buttons(answer)

    def _show_buttons(self, answer: TaskAnswer) -> None:
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
            for place, label in enumerate(choices(answer)):
                self._show_choice(answer, label, place)
            rest = more_choices(answer)
            if rest:
                self._show_rest(answer, rest)

    def _show_choice(self, answer: TaskAnswer, label: str, place: int) -> None:
        task, is_given = answer.task, label == answer.label
        is_chosen = task in self.sitting.decisions and label == self.sitting.label(task)
        st.button(
            self._button_words(task, label),
            key=f"choose_{task}_{label}",
            icon=":material/check:" if is_given else None,
            type="primary" if is_chosen else "secondary",
            shortcut=self._key(key_of(task, label, place)),
            disabled=self.is_stale,
            on_click=self._choose,
            args=(task, label),
        )

    def _button_words(self, task: str, label: str) -> str:
        if task != "acuity" or not self.has_keys:
            return plain(self.say.wording.label(task, label))
        return plain(scheme_in_use().names[self.say.language][int(label) - 1])  # its number is the key shown beside it

    def _show_rest(self, answer: TaskAnswer, labels: Sequence[str]) -> None:
        task, key = answer.task, f"other_{answer.task}"
        st.selectbox(
            self.say("Another answer: {task}", task=self.say.wording.task(task)),
            labels,
            index=None,
            key=key,
            format_func=lambda label: self.say.wording.label(task, label),
            placeholder=self.say("Another"),
            label_visibility="collapsed",
            width=150,
            disabled=self.is_stale,
            on_change=self._choose_other,
            args=(task, key),
        )

    def _choose_other(self, task: str, key: str) -> None:
        label = st.session_state[key]
        st.session_state[key] = None
        if label is not None:
            self._choose(task, label)

    def _choose(self, task: str, label: str) -> None:
        if not self.is_stale:  # a click can come with a change of the box
            self.sitting.choose(task, label, self.book)

    def _give_reason(self, reason: str) -> None:
        if not self.is_stale:
            self.sitting.give_reason(reason, self.book)

    def _ask_reason(self, asked: Override, given: str) -> None:
        say = self.say
        label = say.wording.label(asked.task, asked.label)
        with st.container(border=True, gap="xsmall"):
            st.markdown(f":material/help: **{plain(say('Why {label}?', label=label))}**")
            with st.container(horizontal=True, gap="xsmall"):
                for place, reason in enumerate(reasons_for(asked.task, given, asked.label)):
                    st.button(
                        plain(say(REASON_WORDS.get(reason, reason))),
                        key=f"reason_{reason}",
                        shortcut=self._key(reason_key(place)),
                        disabled=self.is_stale,
                        on_click=self._give_reason,
                        args=(reason,),
                    )
                st.button(
                    say("Cancel"),
                    key="reason_cancel",
                    type="tertiary",
                    shortcut=self._key(CANCEL_KEY),
                    on_click=self.sitting.forget_override,
                )
            if days := load_settings().keep_texts_days:
                told = say(
                    "With a reason, the words of this note are kept here for {days} days, encrypted, names and numbers "
                    "hidden, to train on.",
                    days=days,
                )
                st.caption(told)

    def _show_table(self, answers: Sequence[TaskAnswer]) -> None:
        say = self.say
        rows = [
            (say.wording.task(a.task), say.wording.label(a.task, label), percent(share))
            for a in answers
            for label, share in shown_bars(a)
        ]
        names = (say("Question"), say("Answer"), say("Probability"))
        columns = {name: [plain(row[place]) for row in rows] for place, name in enumerate(names)}
        st.table(columns, hide_index=True, alt=say("Probabilities as a table"))

    def _key(self, key: str | None) -> str | None:
        return key if self.has_keys and not self.is_stale else None


# The words of core.records.reasons.
REASON_WORDS = {
    "more_urgent_signs": "Signs of more urgency",
    "less_urgent_signs": "Signs of less urgency",
    "wrong_department": "Belongs to this department",
    "known_patient": "Known patient",
    "local_rule": "Rule of this house",
    "text_misread": "Text was misread",
    "other": "Other reason",
}


def show_notices(assessment: Assessment, say: Voice) -> None:
    """What happened to the note on its way."""
    notices = [say.wording.warning(code) for code in assessment.warnings]
    if notices:
        st.info(_bullets(notices), title=say("Please note"), icon=":material/info:")


def _task_first(reason: str) -> int:
    """Acuity's reasons before department's before condition's before all others."""
    task = reason.partition(":")[0]
    return FIRST.index(task) if task in FIRST else len(FIRST)


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)
