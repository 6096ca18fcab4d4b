"""The page around all pages: sign-in, language and navigation, nothing else."""

from pathlib import Path

import streamlit as st

from app.sign_in.admission import visitor_now
from app.sign_in.door import CODE
from app.sign_in.pages import show_ended, show_no_role, show_nobody
from app.sign_in.person_menu import LEAVING, leave_calmly, show_person
from app.sign_in.watch import clear, keep_watch
from app.text import LANGUAGES, language_of_reader, voice
from core.settings import load_settings

HERE = Path(__file__).parent

st.set_page_config(page_title="Triage desk", page_icon=str(HERE / "icon.svg"), layout="wide")
if "language" not in st.session_state:
    st.session_state["language"] = language_of_reader(load_settings().language, st.context.locale)
say = voice()
st.html(HERE / "contrast.css")

visitor = visitor_now()
ROOMS = {
    "triage": (say("Triage"), "stethoscope", say("One note in, its urgency, department and condition out.")),
    "spreadsheet": (
        say("Spreadsheet"),
        "table",
        say("Classify a table of notes, look at the result, download it."),
    ),
    "map": (say("Map"), "scatter_plot", say("Notes as points: what is alike lies close together.")),
    "quality": (say("Quality"), "verified", say("How often the model in use is right, and where it fails.")),
    "activity": (say("Activity"), "monitoring", say("Volumes, urgency and corrections over time.")),
    "administration": (say("Administration"), "settings", say("Endpoint, cache, model in use and settings.")),
}
first = visitor.rooms[0] if visitor.rooms else "triage"
page = st.navigation(
    [
        # Those that are not open are there, too: whoever has their address is told why, by the page itself.
        st.Page(
            HERE / "app_pages" / f"{room}.py",
            title=title,
            icon=f":material/{icon}:",
            help=help_,
            default=room == first,
            visibility="visible" if room in visitor.rooms else "hidden",
        )
        for room, (title, icon, help_) in ROOMS.items()
    ],
    position="top" if visitor.rooms else "hidden",
)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.title(page.title if visitor.rooms else say("Triage desk"), width="content")
    with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
        if visitor.is_in and visitor.session:
            show_person(visitor, say)
        st.segmented_control(
            say("Language"),
            list(LANGUAGES),
            required=True,
            format_func=LANGUAGES.__getitem__,
            key="language",
            label_visibility="collapsed",
        )
if not visitor.is_in:
    is_leaving = st.session_state.get(LEAVING)
    clear(forget=visitor.ending is not None)
    if is_leaving:
        st.session_state[LEAVING] = is_leaving
        leave_calmly()
    if visitor.ending:
        show_ended(say, visitor.ending)
    else:
        show_nobody(say, st.query_params.get(CODE))
else:
    if visitor.session:
        keep_watch(say, visitor.session)
    if visitor.rooms:
        page.run()
    else:
        show_no_role(say, load_settings().roles_claim)
