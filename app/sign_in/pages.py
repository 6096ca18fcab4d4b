"""What stands in place of a page: for somebody who is not signed in, signed out, has no role, or not the right one."""

from collections.abc import Mapping

import streamlit as st

from app.edge import plain
from app.text import Voice
from core.access.roles import Role, Room, rooms_of
from core.access.sessions import Ending

ROLE_NAMES: Mapping[Role, str] = {
    "nurse": "Triage nurse",
    "lead": "Department lead",
    "researcher": "Researcher",
    "administrator": "Administrator",
}
ROOM_NAMES: Mapping[Room, str] = {
    "triage": "Triage",
    "spreadsheet": "Spreadsheet",
    "map": "Map",
    "quality": "Quality",
    "activity": "Activity",
    "administration": "Administration",
}
ENDINGS: Mapping[Ending, tuple[str, str]] = {
    "idle": (
        "You were signed out because nobody used this page.",
        "What was on the screen is gone. Spreadsheets that are being classified go on.",
    ),
    "expired": (
        "Your sign-in has expired.",
        "What was on the screen is gone. Spreadsheets that are being classified go on.",
    ),
    "signed_out": ("You are signed out.", "You can close this page, or sign in again."),
    "everywhere": (
        "You were signed out on all devices.",
        "If it was not you who asked for that, tell who runs this desk.",
    ),
    "replaced": ("Somebody has signed in with this browser since.", "Load this page again to go on with that sign-in."),
    "clock": (
        "You were signed out because the clock of the desk was changed.",
        "Sign in again. Tell who runs this desk if it happens again.",
    ),
}
FAILURES: Mapping[str, tuple[str, str]] = {
    "unreachable": (
        "The sign-in service does not answer.",
        "The desk itself works. Try again in a moment; if it stays so, tell who runs the sign-in of your house.",
    ),
    "refused": ("The sign-in service did not let you in.", "Try again, or tell who runs the sign-in of your house."),
    "failed": (
        "The sign-in did not come to its end.",
        "Try again, in one window only. If it stays so, what the sign-in service says of you may be too large: tell "
        "who runs it.",
    ),
    "not_kept": (
        "Nobody can sign in now: the desk's records can't be written.",
        "Triage by hand. Tell who runs this desk, and try again in a moment.",
    ),
    "no_id": (
        "The sign-in service did not say who you are.",
        "It sent no id (the claim sub). Tell who runs the sign-in of your house.",
    ),
}


def role_names(roles: frozenset[Role], say: Voice) -> str:
    """What roles are called, in a fixed order."""
    return say(", ").join(say(name) for role, name in ROLE_NAMES.items() if role in roles)


def show_nobody(say: Voice, failure: str | None) -> None:
    """For somebody who is not signed in, perhaps because that has just failed."""
    failure = failure if failure in FAILURES else None
    if failure:
        title, advice = FAILURES[failure]
        st.error(say(advice), title=say(title), icon=":material/error:")
    else:
        st.write(say("Sign in to use this desk."))
    _sign_in(say, say("Try again") if failure else say("Sign in"))


def show_ended(say: Voice, ending: Ending) -> None:
    """For somebody whose sign-in has ended."""
    title, advice = ENDINGS[ending]
    st.info(say(advice), title=say(title), icon=":material/lock:")
    _sign_in(say, say("Sign in"))


def show_no_role(say: Voice, claim: str) -> None:
    """For somebody who is known, and has no role."""
    st.warning(
        say(
            "Ask whoever runs this desk for a role. The desk looked for one in the claim {claim} of your sign-in.",
            claim=f"`{claim}`",
        ),
        title=say("You are signed in, but have no role here."),
        icon=":material/person_alert:",
    )


def show_refused(say: Voice, roles: frozenset[Role], *, is_in: bool) -> None:
    """For somebody whose roles do not open a page."""
    if not is_in:
        show_nobody(say, None)
        return
    open_ = say(", ").join(say(ROOM_NAMES[room]) for room in rooms_of(roles))
    st.warning(
        say(
            "Your role is: {roles}. Open to you are: {pages}. Ask whoever runs this desk if you need this page.",
            roles=plain(role_names(roles, say)) or "–",
            pages=open_ or "–",
        ),
        title=say("This page is not open to you."),
        icon=":material/block:",
    )


def _sign_in(say: Voice, label: str) -> None:
    if st.button(label, type="primary", icon=":material/login:", key="sign_in"):
        with st.spinner(say("Going to the sign-in service …")):
            st.login()
