"""Triage: one note in, its answer out, a person's decision kept."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from app.answer import AnswerView, show_notices
from app.answer_examples import EXAMPLES
from app.answer_flags import show_red_flags_alone
from app.answer_focus import move_cursor
from app.answer_keys import ACCEPT_KEY, NEXT_KEY, SEND_KEYS
from app.answer_marks import marked
from app.answer_sitting import Book, Problem, Sitting
from app.answer_today import start_of_day, waiting_list, zone_called
from app.desk import STOPPING, open_desk, person, records, take
from app.sign_in.admission import admit
from app.text import Voice, voice
from core.errors import NotAdmitted, RecordsError
from core.notes import Note, Sex
from core.records.database import CANNOT_WRITE, DatabaseRecords
from core.records.hashing import note_hash
from core.settings import load_settings

admit("triage")

SEXES: dict[Sex, str] = {"female": "Female", "male": "Male"}
BOX_HEIGHT = 250  # pixels
WIDTHS = (2, 3)
LISTED = 200  # notes of today; the list is drawn with each note sent
TROUBLES = {
    "endpoint": "The reading service does not answer.",
    "bundle": "The model can't be used.",
    "settings": "A setting of the desk is wrong.",
    "unexpected": "Something unexpected happened.",
}
KEYS_HELP = (
    "While the cursor is outside of the box: 1 to 5 choose the urgency, Q W E the department, A S D the condition, "
    "Z X V B M the reason of a change. Y accepts all, N is the next note. Esc leaves a change."
)


def sitting() -> Sitting:
    """What this person has before them."""
    found: Sitting = st.session_state.setdefault("sitting", Sitting())
    return found


def note_in_box() -> Note:
    """The note as the widgets hold it now."""
    state = st.session_state
    return Note(state.get("text") or "", state.get("age"), state.get("sex"))


def keep_draft() -> None:
    """What the box holds, kept beside the widgets: they forget it when the page is left."""
    sitting().draft = note_in_box()


def restore_draft(draft: Note) -> None:
    """What the box held, after the page was left."""
    for key, value in (("text", draft.text), ("age", draft.age), ("sex", draft.sex)):
        st.session_state.setdefault(key, value)


def send() -> None:
    """The note in the box waits for its answer."""
    sitting().send(note_in_box())


def accept_all(book: Book) -> None:
    """What is undecided is accepted, unless the box holds another note by now."""
    if not sitting().differs_from(note_in_box()):
        sitting().accept_all(book)


def next_note() -> None:
    """An empty box."""
    st.session_state.update({"text": "", "age": None, "sex": None})
    sitting().clear()
    keep_draft()


def try_example(place: int) -> None:
    """An example in the box and sent; a note already there stays."""
    if not note_in_box().text:
        st.session_state["text"] = EXAMPLES[place].text
        keep_draft()
        send()


def show_box(say: Voice) -> None:
    """The box, and what is known of the patient."""
    st.text_area(
        say("Patient's message or clinical note"),
        key="text",
        height=BOX_HEIGHT,
        placeholder=say("In Chinese or English. Ctrl+Enter sends."),
        on_change=keep_draft,
    )
    with st.container(horizontal=True):
        st.number_input(
            say("Age (years)"),
            min_value=0.0, max_value=130.0, value=None, step=1.0, format="%g",
            key="age", placeholder=say("unknown"), width=140, on_change=keep_draft,
        )  # fmt: skip
        st.segmented_control(
            say("Sex"), list(SEXES), format_func=lambda code: say(SEXES[code]), key="sex", on_change=keep_draft
        )


def show_actions(say: Voice, at: Sitting, book: Book, *, has_keys: bool) -> None:
    """Send, accept, go on."""
    is_stale = at.differs_from(note_in_box())
    answered = at.assessment is not None
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            say("Assess"), key="assess", type="primary", icon=":material/send:", shortcut=SEND_KEYS, on_click=send
        )
        st.button(
            say("Accept all"),
            key="accept_all",
            icon=":material/done_all:",
            shortcut=ACCEPT_KEY if has_keys and answered else None,
            disabled=is_stale or not answered or at.is_decided,
            on_click=accept_all,
            args=(book,),
        )
        st.button(
            say("Next note"),
            key="next_note",
            icon=":material/note_add:",
            shortcut=NEXT_KEY if has_keys and answered else None,
            on_click=next_note,
        )


def show_note(say: Voice, at: Sitting) -> None:
    """What happened to the note on its way, and its words that red flags rest on."""
    if at.note is None or at.assessment is None:
        return
    show_notices(at.assessment, say)
    passages = marked(at.note.text, at.assessment.red_flags)
    if passages:
        st.markdown(f"**{say('Words that must not be missed')}**")
        st.html(f'<p style="white-space: pre-wrap">{passages}</p>')


def show_start(say: Voice) -> None:
    """What to do first, with examples."""
    with st.container(border=True):
        st.markdown(say("Paste a note on the left and press Ctrl+Enter. The answer stands here."))
        st.markdown(say("Or try an example:"))
        with st.container(horizontal=True, gap="xsmall"):
            for place, example in enumerate(EXAMPLES):
                st.button(
                    example.title,
                    key=f"example_{place}",
                    icon=":material/edit_note:",
                    on_click=try_example,
                    args=(place,),
                )
        st.markdown(say("Advice only. A person decides."))


def show_problem(problem: Problem, say: Voice) -> None:
    """Why there is no answer; the note stays in the box."""
    if problem.kind == "empty":
        st.info(say("Write or paste a note first."), icon=":material/edit_note:")
    elif problem.kind == "note":
        st.warning(
            say("It has no words that can be read. What you typed is kept."),
            title=say("This note can't be assessed"),
            icon=":material/help:",
        )
    elif problem.kind == "limit":
        st.warning(
            say(
                "You have sent as many notes as one person may in a minute. What you typed is kept: wait {seconds} "
                "seconds, then send it again.",
                seconds=problem.wait,
            ),
            title=say("Too many notes at once"),
            icon=":material/hourglass_top:",
        )
        show_red_flags_alone(problem.red_flags, say)
    else:
        why = say(TROUBLES[problem.kind])
        st.error(
            f"{why} {say('What you typed is kept.')} {say('Number for whoever runs the desk: {id}', id=problem.id)}",
            title=say("No answer. Triage by hand, or try again."),
            icon=":material/back_hand:",
        )
        show_red_flags_alone(problem.red_flags, say)


def show_answer(say: Voice, at: Sitting, book: Book, *, has_keys: bool) -> None:
    """The answer to the note sent, or why there is none, or how to begin."""
    with st.container(key="answer"):
        if at.waiting:
            with st.spinner(say("Reading the note…")), STOPPING.finished():
                at.answer(open_desk, book, partial(take, "notes"))
        if at.problem:
            show_problem(at.problem, say)
        if at.assessment:
            AnswerView(at, book, say, note_in_box, has_keys=has_keys).show(at.assessment)
        else:
            show_start(say)


@st.fragment(run_every=60)
def show_today(say: Voice) -> None:
    """Today's notes of this person, without their texts."""
    st.subheader(say("Your notes of today"), anchor=False)
    now, zone = datetime.now(UTC), zone_called(st.context.timezone)
    try:
        notes = records().answers(since=start_of_day(now, zone), person=person(), newest=LISTED + 1)
    except NotAdmitted:  # the page is about to be cleared
        return
    except RecordsError:
        st.warning(say("Today's list can't be read now. Answers are given all the same."), icon=":material/cloud_off:")
        return
    if not notes:
        st.markdown(say("None yet. Each note you send is listed here, the most urgent first, without its text."))
        return
    listed = notes[-LISTED:]
    st.dataframe(waiting_list(listed, now, zone, say), hide_index=True, alt=say("Your notes of today"))
    if len(notes) > LISTED:
        st.caption(say("These are your newest {count} notes of today; there are more.", count=LISTED))


def records_of_person() -> DatabaseRecords:
    """The records, for whoever still sits here.

    Raises:
        RecordsError: nobody does any more; a click can come after a sign-in has ended.
    """
    try:
        person()
    except NotAdmitted:
        raise RecordsError(CANNOT_WRITE) from None
    return records()


def page() -> None:
    """The whole page: the note on the left, its answer on the right, the day below."""
    say, at = voice(), sitting()
    book = Book(records_of_person, person(), partial(note_hash, data_dir=load_settings().data_dir))
    restore_draft(at.draft)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        show_box(say)
        actions = st.container()
        st.toggle(say("Single keys"), value=True, key="has_keys", help=say(KEYS_HELP), persist_state="session")
    has_keys = bool(st.session_state["has_keys"])
    with right:
        show_answer(say, at, book, has_keys=has_keys)
    with actions:  # drawn last: what can be done depends on the answer
        show_actions(say, at, book, has_keys=has_keys)
        show_note(say, at)
    show_today(say)
    move_cursor(at.place, at.turn, holds_note=bool(at.draft.text))


page()
