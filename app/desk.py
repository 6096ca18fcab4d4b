"""What this server process holds once for everybody: the desk and the records."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from app.stopping import Stopping
from core.access.allowance import Allowances, Refusal, Work
from core.embedding.cache import installation_secret
from core.errors import NotAdmitted, RecordsError
from core.records.acts import Act
from core.records.database import DatabaseRecords, open_records
from core.records.sign_ins import SignIns
from core.settings import Settings, load_settings
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


@st.cache_resource(show_spinner=False)
def settings_at_start() -> Settings:
    """The settings that this process was started with: reading them anew takes milliseconds, and each run asks."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def sign_ins() -> SignIns:
    """Who is signed in; kept in the records."""
    settings = load_settings()
    return SignIns(records, installation_secret(settings.data_dir), timedelta(minutes=settings.idle_minutes))


@st.cache_resource(show_spinner=False)
def allowances() -> Allowances:
    """What each person may still ask for."""
    return Allowances(load_settings())


def take(work: Work, amount: int = 1) -> Refusal | None:
    """Use some of what the person at this page may ask for; a refusal where it is used up.

    Where nobody signs in, nothing is counted.
    """
    if not settings_at_start().signs_in:
        return None
    return allowances().take(work, f"person:{person()}", amount)


def person() -> str:
    """Who sits at this page: the signed-in person's id, else one name for all.

    Raises:
        NotAdmitted: people sign in at this desk, and nobody has here.
    """
    if not settings_at_start().signs_in:
        return LOCAL_PERSON
    session = st.user.get("sid") if getattr(st.user, "is_logged_in", False) else None
    found = sign_ins().find(session) if isinstance(session, str) else None
    if found is None or found.ended:
        raise NotAdmitted("Nobody is signed in here any more. Nothing was done; sign in again.")
    return found.person


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
