"""What this server process holds once for everybody: the desk and the records."""

import streamlit as st

from app.stopping import Stopping
from core.records.database import open_records
from core.records.records import Records
from core.settings import load_settings
from core.triage import TriageDesk

STOPPING = Stopping()  # what is under way in this process, the pages' notes too
LOCAL_PERSON = "local"  # who asks where nobody signs in


@st.cache_resource(show_spinner=False, on_release=TriageDesk.close)
def open_desk() -> TriageDesk:
    """The desk; opened at the first call, closed by `open_desk.clear()`.

    Raises:
        TriageError: it can't be opened now; nothing is remembered, so the next call tries again.
    """
    return TriageDesk.open()


@st.cache_resource(show_spinner=False, on_release=lambda records: records.close())
def records() -> Records:
    """The records; opened at the first call.

    Raises:
        RecordsError: the database can't be used.
    """
    return open_records(load_settings())


def person() -> str:
    """Who sits at this page: the signed-in user's id, else one name for all."""
    user = st.user
    return str(user.get("sub") or user.get("email")) if getattr(user, "is_logged_in", False) else LOCAL_PERSON
