"""The door of sign-in, before Streamlit's own routes for it: sessions begin and end here, and what fails is said.

Streamlit answers a provider that is down with a bare "Authentication error", and a sign-in that failed with the page of
before. Both become a page here that says so (`app.sign_in.pages`), by a code in its address.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sign_in.cookie import Cookies, cookie_set_by
from core.access.people import person_id
from core.access.roles import roles_of
from core.access.sessions import Ending, SignIn, expiry_of
from core.errors import RecordsError
from core.records.database import now
from core.records.sign_ins import SignIns

LOGIN, LOGOUT, CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"
UPLOAD, MEDIA = "/_stcore/upload_file", "/media/"  # what is sent to a page, and what a page gives: notes, both
PICTURES = (".svg", ".png")  # the page's own, which whoever signs in sees before
USED = "/auth/used"  # where a page tells that somebody uses it
PATIENCE = 15.0  # seconds for the provider, all its answers together
CODE = "sign_in"  # the name of the code in the address
Failure = Literal["unreachable", "refused", "failed", "not_kept", "no_id"]
log = logging.getLogger(__name__)


class SignInDoor:
    """ASGI middleware around the pages."""

    def __init__(self, app: ASGIApp, cookies: Cookies, sign_ins: Callable[[], SignIns]) -> None:
        """Puts the door before the pages.

        Args:
            app: the pages.
            cookies: of sign-in.
            sign_ins: gives who is signed in.
        """
        self._pages, self._cookies, self._sign_ins = app, cookies, sign_ins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        request, path = Request(scope), scope["path"].rstrip("/")

        async def send_securely(message: Message) -> None:
            if message["type"] == "http.response.start" and self._cookies.is_secure:
                _change_cookies(message, self._cookies.secured)
            await send(message)

        if path in (LOGIN, LOGOUT, CALLBACK):
            answer = {LOGIN: self._login, LOGOUT: self._logout, CALLBACK: self._callback}[path]
            await (await answer(request, receive))(scope, receive, send_securely)
        elif path == USED:
            await (await self._used(request))(scope, receive, send)
        elif _holds_notes(path) and not await self._is_signed_in(request):
            await PlainTextResponse("Sign in first.", 403)(scope, receive, send)
        else:
            await self._pages(scope, receive, send_securely)

    async def _login(self, request: Request, receive: Receive) -> Response:
        """The way to the provider, or a page that says that it does not answer."""
        found = await self._asked(request, receive)
        return found if found and found.status_code < 400 else _back("unreachable")

    async def _logout(self, request: Request, receive: Receive) -> Response:
        """The session ends first, so that nothing else need work for a person to be signed out."""
        if session := self._cookies.session(request.cookies):
            await self._ended(session, "signed_out")
        found = await self._asked(request, receive) or _back(None)
        _take_cookies(found)
        for header in self._cookies.removed(request.cookies):
            found.headers.append("set-cookie", header)
        return found

    async def _callback(self, request: Request, receive: Receive) -> Response:
        """The person comes back from the provider: a session begins, or a page says why not."""
        if not {"code", "error"} & request.query_params.keys():
            return _back(None)  # where providers send people whom they have signed out
        found = await self._asked(request, receive)
        if found is None:
            return _back("unreachable")
        given = dict(map(cookie_set_by, _take_cookies(found)))
        claims = self._cookies.claims(given)
        if claims is None:
            return _back("refused" if "error" in request.query_params else "failed")
        failure, session = await self._begun(claims, self._cookies.session(request.cookies))
        answer = _back(failure) if failure else found
        new = self._cookies.slim(claims, session, given) if session else []
        names = {cookie_set_by(header)[0] for header in new}
        old = self._cookies.removed(request.cookies)
        for header in [*(each for each in old if cookie_set_by(each)[0] not in names), *new]:
            answer.headers.append("set-cookie", header)
        return answer

    async def _used(self, request: Request) -> Response:
        """Somebody uses a page of theirs. Browsers send no cookie here for a page of another site (SameSite)."""
        if request.method != "POST":
            return PlainTextResponse("Only POST.", 405, {"Allow": "POST"})
        session = self._cookies.session(request.cookies)
        if session is None or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("Sign in first.", 403)
        await asyncio.to_thread(self._sign_ins().seen, session)
        return Response(status_code=204)

    async def _begun(self, claims: Mapping[str, Any], before: str | None) -> tuple[Failure | None, str]:
        """A session, or what kept it from beginning."""
        person = person_id(claims)
        if person is None:
            log.warning("sign-in: the provider gives no id (sub)")
            return "no_id", ""
        roles = roles_of(claims, self._cookies.claim, self._cookies.names)
        expires = expiry_of(claims, now())
        try:
            begin = self._sign_ins().begin
            return None, await asyncio.to_thread(begin, person, roles, expires, instead_of=before)
        except RecordsError:
            return "not_kept", ""

    async def _ended(self, session: str, why: Ending) -> None:
        try:
            await asyncio.to_thread(self._sign_ins().end, session, why)
        except RecordsError:
            log.warning("sign-out: other servers do not know of it")

    async def _is_signed_in(self, request: Request) -> bool:
        session = self._cookies.session(request.cookies)
        if session is None:
            return False
        found: SignIn | None = await asyncio.to_thread(self._sign_ins().find, session)
        return found is not None and not found.ended

    async def _asked(self, request: Request, receive: Receive) -> Response | None:
        """Streamlit's answer; none where the provider takes too long or something breaks."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await _answer_of(self._pages, request.scope, receive)
        except Exception as error:  # the edge: what a provider sends can break any of the libraries on the way
            log.warning("sign-in: no answer (%s)", type(error).__name__)
            return None


async def _answer_of(
    app: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope, receive: Receive
) -> Response:
    """An application's whole answer."""
    found, body = Response(), bytearray()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.status_code = message["status"]
            found.raw_headers = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    found.body = bytes(body)
    found.headers["content-length"] = str(len(body))
    return found


def _holds_notes(path: str) -> bool:
    """Whether a table may go this way, up or down; its address alone must open nothing."""
    return path.startswith(UPLOAD) or (path.startswith(MEDIA) and not path.endswith(PICTURES))


def _back(failure: Failure | None) -> Response:
    return RedirectResponse(f"/?{CODE}={failure}" if failure else "/", status_code=302)


def _take_cookies(answer: Response) -> list[str]:
    """The cookies of sign-in that an answer sets, which are taken out of it; others stay."""
    every = answer.headers.getlist("set-cookie")
    ours = [each for each in every if cookie_set_by(each)[0].startswith("_streamlit_user")]
    if ours:
        del answer.headers["set-cookie"]
        for other in every:
            if other not in ours:
                answer.headers.append("set-cookie", other)
    return ours


def _change_cookies(message: Message, change: Callable[[str], str]) -> None:
    every = Headers(raw=message["headers"]).getlist("set-cookie")
    if every:
        headers = MutableHeaders(scope=message)
        del headers["set-cookie"]
        for each in every:
            headers.append("set-cookie", change(each))
