"""The cookie of a signed-in person, slim: which session it is, and of the claims only what the desk looks at.

Streamlit puts every claim and both of the provider's tokens into cookies that last a month, in as many pieces as they
need. A token with many groups then makes headers that no server takes, and locks its owner out.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME

from core.access.people import displayed_name, person_id
from core.access.roles import Role, names_in

SESSION = "sid"  # the claim of ours that names the session
LONGEST_HINT = 3000  # characters of the provider's token that go along, so that the provider can sign the person out


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes the cookies of sign-in.

    Attributes:
        secret: signs them.
        is_secure: whether browsers send them over HTTPS alone.
        claim: the claim that holds roles.
        names: the site's names for roles.
    """

    secret: str
    is_secure: bool
    claim: str
    names: Mapping[str, Role]

    def claims(self, cookies: Mapping[str, str]) -> dict[str, Any] | None:
        """What a person's cookie says, or Streamlit's pieces of it; none where it is not signed with our secret."""
        return self._read(cookies, USER_COOKIE_NAME)

    def session(self, cookies: Mapping[str, str]) -> str | None:
        """The id of the session in a cookie."""
        found = (self.claims(cookies) or {}).get(SESSION)
        return found if isinstance(found, str) else None

    def slim(self, claims: Mapping[str, Any], session: str, cookies: Mapping[str, str]) -> list[str]:
        """The cookies that a browser gets when its person has signed in, as header values.

        Args:
            claims: what Streamlit would have put into the cookie.
            session: the id.
            cookies: Streamlit's own, with the provider's tokens.
        """
        id_ = person_id(claims) or ""
        kept = {name: claims[name] for name in ("origin", "is_logged_in", "provider", "exp") if name in claims}
        kept |= {"sub": id_, "name": displayed_name(claims, id_), SESSION: session}
        kept[self.claim] = [name for name in names_in(claims, self.claim) if name in self.names]
        hint = (self._read(cookies, TOKENS_COOKIE_NAME) or {}).get("id_token")
        tokens = {"id_token": hint} if isinstance(hint, str) and len(hint) <= LONGEST_HINT else {}
        return [self._set(USER_COOKIE_NAME, kept), self._set(TOKENS_COOKIE_NAME, tokens)]

    def removed(self, names: Iterable[str]) -> list[str]:
        """Header values that take the cookies of sign-in among these from a browser."""
        ours = (name for name in names if name.startswith(USER_COOKIE_NAME))
        return [f"{name}=; Path=/; Max-Age=0; {self._attributes()}" for name in sorted({*ours, USER_COOKIE_NAME})]

    def secured(self, header: str) -> str:
        """Any cookie's header value, for HTTPS alone where people reach the desk by it."""
        return f"{header}; Secure" if self.is_secure and "secure" not in _attributes_of(header) else header

    def _set(self, name: str, value: Mapping[str, Any]) -> str:
        # No Max-Age: on a PC of several people the cookie goes with the browser's window.
        signed = create_signed_value(self.secret, name, json.dumps(value)).decode()
        return f"{name}={signed}; Path=/; {self._attributes()}"

    def _attributes(self) -> str:
        return "HttpOnly; SameSite=lax" + ("; Secure" if self.is_secure else "")

    def _read(self, cookies: Mapping[str, str], name: str) -> dict[str, Any] | None:
        def piece(each: str) -> bytes | None:
            value = cookies.get(each)
            return decode_signed_value(self.secret, each, value) if value else None

        try:
            whole = get_cookie_with_chunks(piece, name)
            found = json.loads(whole) if whole else None
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


def cookie_set_by(header: str) -> tuple[str, str]:
    """Name and value in a `Set-Cookie` header."""
    name, _, rest = header.partition("=")
    return name.strip(), rest.partition(";")[0].strip().strip('"')


def _attributes_of(header: str) -> set[str]:
    return {each.strip().lower() for each in header.split(";")[1:]}
