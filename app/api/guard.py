"""Who may ask: by a key, or from this machine while there is none. Asked before a body is read."""

import ipaddress
import re
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar
from urllib.parse import urlsplit

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.api.names import asked_by
from app.api.problems import Problem
from core.access.allowance import Work
from core.access.keys import KeyStore
from core.access.principal import LOCAL, Principal, Scope

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "x-forwarded-host")
SAFE = ("GET", "HEAD", "OPTIONS")
_BEARER = re.compile(r"Bearer +([\x21-\x7e]+) *", re.IGNORECASE)
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """Recognises who asks."""

    def __init__(self, keys: KeyStore) -> None:
        """Reads nothing yet.

        Args:
            keys: the desk's keys.
        """
        self._keys = keys

    @property
    def is_unlocked(self) -> bool:
        """Whether programs on this machine are answered without a key, since none was ever made.

        Raises:
            AccessError: keys can't be read.
        """
        return self._keys.is_empty

    def recognise(self, request: Request, scope: Scope) -> Principal:
        """Who asks, and may ask for this.

        Raises:
            Problem: 401 without a valid key, 403 without the scope or for a request that another site's page sends.
            AccessError: keys can't be checked.
        """
        _refuse_foreign_pages(request)
        principal = self._principal(request)  # reads a hundred bytes: a thread would take longer
        if (heard := asked_by.get()) is not None:
            heard[:] = [principal.name]
        if not principal.may(scope):
            raise Problem(
                403,
                "scope",
                f"This key has no scope {scope}.",
                {"WWW-Authenticate": f'Bearer realm="triage desk", error="insufficient_scope", scope="{scope}"'},
            )
        return principal

    def _principal(self, request: Request) -> Principal:
        given = request.headers.get("authorization")
        if given is None and is_from_here(request) and self._keys.is_empty:
            return LOCAL
        bearer = _BEARER.fullmatch(given or "")
        principal = self._keys.principal_of(bearer[1]) if bearer else None
        if principal is None:
            error = ', error="invalid_token"' if given else ""
            raise Problem(
                401,
                "key",
                "This needs a key: Authorization: Bearer KEY."
                if given is None
                else "The key is wrong, has ended or was revoked.",
                {"WWW-Authenticate": f'Bearer realm="triage desk"{error}'},
            )
        return principal


class GuardedRoute(APIRoute):
    """A route whose `openapi_extra["security"]` names the scope that it needs; one that names none is open to all.

    The guard stands before the body is read, which a dependency would not.

    Attributes:
        counts: what each request uses of the key's allowance before its body is read, if anything.
    """

    counts: ClassVar[Work | None] = None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own way to answer, behind the guard."""
        answer, scope = super().get_route_handler(), scope_of(self)

        async def guarded(request: Request) -> Response:
            if scope is None:
                return await answer(request)
            services = request.app.state.services
            with services.stopping.admitted():
                request.state.principal = services.guard.recognise(request, scope)
                if self.counts:
                    await services.allow(request.state.principal, self.counts)
                return await answer(request)

        return guarded


def needs(scope: Scope) -> dict[str, Any]:
    """What a route says to need a scope."""
    return {"security": [{"key": [scope]}]}


def scope_of(route: APIRoute) -> Scope | None:
    """The scope that a route needs."""
    security = (route.openapi_extra or {}).get("security")
    return security[0]["key"][0] if security else None


def is_from_here(request: Request) -> bool:
    """Whether a program on this machine asks, by a name of this machine and through no proxy."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        if not ipaddress.ip_address(request.client.host).is_loopback:
            return False
    except ValueError:
        return False
    # A page of another site can make a name of its own lead to this machine; it can't choose the Host header.
    return re.sub(r":\d+$", "", request.headers.get("host", "")).lower() in _LOCAL_NAMES


def _refuse_foreign_pages(request: Request) -> None:
    """Refuse what a page of another site makes a browser send; programs send none of these headers.

    Raises:
        Problem: it does.
    """
    if request.method in SAFE:
        return
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    is_foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if is_foreign or (origin is not None and urlsplit(origin).netloc.lower() != host.lower()):
        raise Problem(403, "cross-site", "A page of another site may not ask this.")
