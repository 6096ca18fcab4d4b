"""The door that every request comes through, pages' and programs': its id, size, headers, and line in the log."""

import asyncio
import logging
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.headers import ON_API, ON_PAGES
from app.api.names import PROBES, REQUEST_ID, V1, asked_by, is_api, request_id, sane_id
from app.api.problems import answer, of_http, problem_of
from core.bulk.jobs import UPLOAD_LIMIT
from core.telemetry import logs, observe, tracing

MB = 1 << 20
SMALL, NOTES = MB, 4 * MB
TABLE = UPLOAD_LIMIT * MB + 64 * 1024  # with what a form puts around the file
PAGE_UPLOAD = "/_stcore/upload_file"
SILENCE = 30.0  # seconds without a byte of a body that is not at its end
log = logging.getLogger("app.api")


def _encoded(headers: Mapping[str, str]) -> Mapping[bytes, bytes]:
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


OF_API, OF_PAGES = _encoded(ON_API), _encoded(ON_PAGES)


class Door:
    """ASGI middleware around everything. Answers of the API come from `api`, all others from the pages."""

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        """Puts the door before the pages.

        Args:
            app: the pages.
            api: the API.
        """
        self._pages, self._api = app, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        if scope["type"] == "websocket" and is_api(scope["path"]):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        inside = _Visit(scope, receive, send, of_api=is_api(scope["path"]))
        await inside.answered_by(self._api if inside.of_api else self._pages)


class _Visit:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, of_api: bool) -> None:
        self.scope, self._receive, self._send, self.of_api = scope, receive, send, of_api
        self._headers = Headers(scope=scope)
        self.id = sane_id(self._headers.get(REQUEST_ID))
        self._limit = limit_for(scope["path"])
        self._read = 0
        self._is_read = self._declared() == 0 and "transfer-encoding" not in self._headers
        self._status = 0
        self._name: list[str] = []
        self._extra = OF_API if of_api else OF_PAGES

    async def answered_by(self, app: ASGIApp) -> None:
        """Have it answered, whatever happens."""
        started = time.perf_counter()
        tokens = request_id.set(self.id), asked_by.set(self._name)
        try:
            with logs.bound(request_id=self.id):
                await self._traced(app)
        except Exception as error:  # the edge of the server: its trace could hold a note
            if not (self.of_api or isinstance(error, HTTPException)):
                raise
            if not self._status:
                known = of_http(error) if isinstance(error, HTTPException) else problem_of(error)
                await answer(known, self.scope["path"])(self.scope, self.receive, self.send)
        finally:
            if self.of_api:
                self._tell(time.perf_counter() - started)
            request_id.reset(tokens[0])
            asked_by.reset(tokens[1])

    async def _traced(self, app: ASGIApp) -> None:
        """Have it answered within a span, where traces are sent; probes and pages have none."""
        if (self._declared() or 0) > self._limit:
            raise HTTPException(413)
        if not self.of_api or self.scope["path"] in PROBES:
            await app(self.scope, self.receive, self.send)
            return
        with tracing.request(self._headers, request_id=self.id) as span:
            try:
                await app(self.scope, self.receive, self.send)
            finally:
                if span is not None:
                    self._tell_trace(span)

    def _tell_trace(self, span: tracing.Told) -> None:
        """What the request was, in its span."""
        span.update_name(f"{self._method} {self._route}")
        span.set_attributes({"http.route": self._route, "http.response.status_code": self._status})

    async def receive(self) -> Message:
        """The next part of the body, while it is not too large and comes in time.

        Raises:
            HTTPException: 413 or 408.
        """
        if self._is_read:
            return await self._receive()
        try:
            async with asyncio.timeout(SILENCE):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._is_read = not message.get("more_body", False)
            if self._read > self._limit:
                raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, its headers completed."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            mine = {**self._extra, REQUEST_ID.lower().encode(): self.id.encode()}
            others = [pair for pair in message["headers"] if pair[0].lower() not in mine]
            message["headers"] = [*others, *mine.items()]
        await self._send(message)

    def _declared(self) -> int | None:
        """The length that the client says the body has."""
        given = self._headers.get("content-length", "0")
        return int(given) if given.isascii() and given.isdigit() else None

    def _tell(self, seconds: float) -> None:
        """One line a request."""
        observe.requested(self._method, self._route, self._status, seconds)
        facts = {
            "method": self._method,
            "route": self._route,
            "status": self._status,
            "ms": round(1000 * seconds, 1),
            "key": self._name[0] if self._name else None,
        }
        with logs.bound(request_id=self.id):
            log.info("request", extra=facts)

    @property
    def _route(self) -> str:
        """The route's pattern, never the address as it came, which could hold anything."""
        return str(getattr(self.scope.get("route"), "path", "(none)"))

    @property
    def _method(self) -> str:
        return self.scope["method"] if self.scope["method"] in METHODS else "(other)"


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def limit_for(path: str) -> int:
    """The largest body, in bytes, that an address takes."""
    if path == f"{V1}/jobs" or path.startswith(PAGE_UPLOAD):
        return TABLE
    return NOTES if path.startswith(f"{V1}/") or path.startswith("/cds-services/") else SMALL
