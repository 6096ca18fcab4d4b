"""Who is signed in, in a corner of every page, and the way out."""

from collections.abc import MutableMapping
from typing import Any

import streamlit as st

from app.desk import sign_ins
from app.edge import plain
from app.sign_in.admission import Visitor
from app.sign_in.pages import role_names
from app.text import Voice
from core.errors import RecordsError

LEAVING = "person_leaving"  # where the next run takes the cookie from the browser, too
FAILED = "person_sign_out_failed"


def show_person(visitor: Visitor, say: Voice) -> None:
    """Name and role; within, the two ways to sign out."""
    roles = role_names(visitor.roles, say) or say("no role")
    with st.popover(f"{plain(visitor.name)} · {plain(roles)}", icon=":material/person:", key="person"):
        st.markdown(f"**{plain(visitor.name)}**  \n{plain(roles)}")
        st.button(
            say("Sign out"), icon=":material/logout:", key="sign_out", width="stretch",
            on_click=_sign_out, args=(visitor.session,),
        )  # fmt: skip
        st.button(
            say("Sign out everywhere"), icon=":material/devices_off:", key="sign_out_everywhere", width="stretch",
            help=say("Ends your sign-in on all other computers and phones, too."),
            on_click=_sign_out_everywhere, args=(visitor.person,),
        )  # fmt: skip
    if st.session_state.pop(FAILED, False):
        st.error(
            say("You are still signed in elsewhere: the records can't be written now. Try again in a moment."),
            icon=":material/error:",
        )


def leave_calmly() -> None:
    """Take the cookie from the browser a moment after the page was cleared, so that nothing asks whether to stay."""

    @st.fragment(run_every=0.7)
    def leaving() -> None:
        if st.session_state.get(LEAVING) == "now":
            st.session_state[LEAVING] = "gone"
            st.logout()
        elif st.session_state.get(LEAVING) is True:
            st.session_state[LEAVING] = "now"

    leaving()


def _sign_out(session: str) -> None:
    state: MutableMapping[Any, Any] = st.session_state
    try:
        sign_ins().end(session, "signed_out")
    except RecordsError:
        pass  # in this process it has ended; the process log says that other servers were not told
    state[LEAVING] = True


def _sign_out_everywhere(person: str) -> None:
    try:
        sign_ins().end_all(person)
    except RecordsError:
        st.session_state[FAILED] = True
    else:
        st.session_state[LEAVING] = True
