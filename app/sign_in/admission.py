"""Who sits at this page, and whether they may be here. Each page asks for itself, whatever the navigation shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import streamlit as st

from app.desk import LOCAL_PERSON, note_of, settings_at_start, sign_ins
from app.sign_in.cookie import SESSION
from app.sign_in.pages import show_refused
from app.text import voice
from core.access.people import displayed_name
from core.access.roles import EVERYTHING, Role, Room, roles_of, rooms_of
from core.access.sessions import Ending
from core.errors import NotAdmitted
from core.records.acts import Act
from core.records.database import now

VISITOR, TOLD = "visitor", "visitor_refusals_told"
NOT_ADMITTED = "Whoever sits here is not signed in any more, or has no role for this. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sits at a page.

    Attributes:
        person: the id; empty: nobody is signed in.
        name: what they are called on screen.
        roles: what they are here.
        session: the id of the session; empty where nobody signs in.
        ending: how a sign-in has ended that began here.
        left: how long it goes on if nobody uses it.
    """

    person: str = ""
    name: str = ""
    roles: frozenset[Role] = frozenset()
    session: str = ""
    ending: Ending | None = None
    left: timedelta = timedelta()

    @property
    def is_in(self) -> bool:
        """Whether somebody sits here whom the desk knows."""
        return bool(self.person) and self.ending is None

    @property
    def rooms(self) -> tuple[Room, ...]:
        """The pages that are open to them."""
        return rooms_of(self.roles) if self.is_in else ()


def visitor_now() -> Visitor:
    """Who sits at this page, looked up anew."""
    settings = settings_at_start()
    if not settings.signs_in:
        found = Visitor(LOCAL_PERSON, "", EVERYTHING)
    else:
        found = _signed_in(st.user.to_dict(), settings.roles_claim, settings.role_names)
    st.session_state[VISITOR] = found
    return found


def admit(room: Room) -> Visitor:
    """Whoever sits at a page; its run ends here, with a page that says why, unless they may open it."""
    found = visitor_now()
    if room in found.rooms:
        return found
    if found.is_in and room not in st.session_state.setdefault(TOLD, []):
        st.session_state[TOLD].append(room)
        note_of(found.person, Act.PAGE_REFUSED, {"page": room})
    show_refused(voice(), found.roles, is_in=found.is_in)
    st.stop()


def still_admit(room: Room) -> None:
    """Look again before something is changed: roles and sign-ins may have ended since the page was drawn.

    Raises:
        NotAdmitted: whoever sits here may not do it.
    """
    if room not in visitor_now().rooms:
        raise NotAdmitted(NOT_ADMITTED)


def _signed_in(claims: Mapping[str, Any], claim: str, names: Mapping[str, Role]) -> Visitor:
    session = claims.get(SESSION)
    if not claims.get("is_logged_in") or not isinstance(session, str):
        return Visitor()
    found = sign_ins().find(session)
    if found is None:
        return Visitor()
    roles = roles_of(claims, claim, names)
    left = found.left(now(), sign_ins().idle)
    return Visitor(found.person, displayed_name(claims, found.person), roles, session, found.ended, left)
