"""The one desk of this server process, shared by everybody who has the page open."""

import streamlit as st

from core.triage import TriageDesk


@st.cache_resource(show_spinner=False, on_release=TriageDesk.close)
def open_desk() -> TriageDesk:
    """The desk; opened at the first call, closed by `open_desk.clear()`.

    Raises:
        TriageError: it can't be opened now; nothing is remembered, so the next call tries again.
    """
    return TriageDesk.open()
