"""The page: one note in, its assessment out."""

from pathlib import Path

import streamlit as st

from app.answer import show_answer
from app.desk import open_desk
from app.text import language_of_reader, say
from core.errors import NoteError, TriageError
from core.notes import Note, Sex
from core.settings import load_settings

st.set_page_config(page_title="Triage", page_icon=str(Path(__file__).with_name("icon.svg")), layout="centered")
SEXES: tuple[Sex, ...] = ("female", "male")
LANGUAGES = {"zh": "中文", "en": "English"}

if "language" not in st.session_state:
    st.session_state["language"] = language_of_reader(load_settings().language, st.context.locale)
speech = st.session_state["language"]

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.title(say("title", speech), width="content")
    st.segmented_control(
        say("language", speech),
        list(LANGUAGES),
        required=True,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
    )
st.write(say("advice", speech))

with st.form("note"):
    text = st.text_area(say("note", speech), key="text", height=180, placeholder=say("placeholder", speech))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        age = st.number_input(
            say("age", speech), min_value=0.0, max_value=130.0, value=None, step=1.0, format="%g", key="age"
        )
        sex = st.segmented_control(say("sex", speech), SEXES, format_func=lambda code: say(code, speech), key="sex")
        sent = st.form_submit_button(say("assess", speech), type="primary", shortcut="Ctrl+Enter")

if sent:
    st.session_state["answer"] = None
    if not text:
        st.info(say("empty", speech))
    else:
        try:
            with st.spinner(say("working", speech)):
                st.session_state["answer"] = open_desk().assess(Note(text, age, sex))
        except NoteError as error:
            st.warning(f"{error} {say('kept', speech)}", title=say("bad_note", speech))
        except TriageError as error:
            st.error(f"{error} {say('kept', speech)}", title=say("failed", speech))
        except Exception as error:  # the edge of the page; the kind of error says nothing about the note
            st.error(f"{say('unexpected', speech)} ({type(error).__name__})")

if st.session_state.get("answer") is not None:
    show_answer(st.session_state["answer"], speech)
