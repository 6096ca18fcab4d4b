"""The page around all pages: language and navigation, nothing else."""

from pathlib import Path

import streamlit as st

from app.text import LANGUAGES, language_of_reader, voice
from core.settings import load_settings

HERE = Path(__file__).parent

st.set_page_config(page_title="Triage desk", page_icon=str(HERE / "icon.svg"), layout="wide")
if "language" not in st.session_state:
    st.session_state["language"] = language_of_reader(load_settings().language, st.context.locale)
say = voice()
st.html(HERE / "contrast.css")

page = st.navigation(
    [
        st.Page(
            HERE / "app_pages" / "triage.py",
            title=say("Triage"),
            icon=":material/stethoscope:",
            default=True,
            help=say("One note in, its urgency, department and condition out."),
        ),
        st.Page(
            HERE / "app_pages" / "spreadsheet.py",
            title=say("Spreadsheet"),
            icon=":material/table:",
            help=say("Classify a table of notes, look at the result, download it."),
        ),
        st.Page(
            HERE / "app_pages" / "map.py",
            title=say("Map"),
            icon=":material/scatter_plot:",
            help=say("Notes as points: what is alike lies close together."),
        ),
        st.Page(
            HERE / "app_pages" / "quality.py",
            title=say("Quality"),
            icon=":material/verified:",
            help=say("How often the model in use is right, and where it fails."),
        ),
        st.Page(
            HERE / "app_pages" / "activity.py",
            title=say("Activity"),
            icon=":material/monitoring:",
            help=say("Volumes, urgency and corrections over time."),
        ),
        st.Page(
            HERE / "app_pages" / "administration.py",
            title=say("Administration"),
            icon=":material/settings:",
            help=say("Endpoint, cache, model in use and settings."),
        ),
    ],
    position="top",
)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.title(page.title, width="content")
    st.segmented_control(
        say("Language"),
        list(LANGUAGES),
        required=True,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
    )
page.run()
