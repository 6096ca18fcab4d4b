"""What this server process holds once for everybody: the desk and the records."""

import logging
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.stopping import Stopping
from core.errors import RecordsError
from core.records.acts import Act
from core.records.database import DatabaseRecords, open_records
from core.settings import load_settings
from core.triage import TriageDesk

STOPPING = Stopping()  # what is under way in this process, the pages' notes too
LOCAL_PERSON = "local"  # who asks where nobody signs in
log = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False, on_release=TriageDesk.close)
def open_desk() -> TriageDesk:
    """The desk; opened at the first call, closed by `open_desk.clear()`.

    Raises:
        TriageError: it can't be opened now; nothing is remembered, so the next call tries again.
    """
    return TriageDesk.open()


@st.cache_resource(show_spinner=False, on_release=lambda records: records.close())
def records() -> DatabaseRecords:
    """The records; opened at the first call.

    Raises:
        RecordsError: the database can't be used.
    """
    return open_records(load_settings())


def person() -> str:
    """Who sits at this page: the signed-in user's id, else one name for all."""
    user = st.user
    return str(user.get("sub") or user.get("email")) if getattr(user, "is_logged_in", False) else LOCAL_PERSON


def note(kind: Act, facts: Mapping[str, Any]) -> bool:
    """Write into the audit log what the person at this page did; false where it can't be written now."""
    return note_of(person(), kind, facts)


def note_of(who: str, kind: Act, facts: Mapping[str, Any]) -> bool:
    """The same for a person who is known, outside of a page's run.

    For acts that go on without: the log of the process says that the audit log does not have them.
    """
    try:
        records().note(kind, who, facts)
    except RecordsError:
        log.error("not in the audit log: %s", kind.value)
        return False
    return True
