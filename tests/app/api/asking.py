"""Asks an ASGI application in this process, as a server would: requests as bytes, answers whole."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


async def asked(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes | list[bytes] = b"",
    *,
    headers: dict[str, str] | None = None,
    client: str = "127.0.0.1",
    hang_up: asyncio.Event | None = None,
) -> Answer:
    """One request; `body` in parts is sent without a length, and `hang_up` says when the client goes."""
    parts = [body] if isinstance(body, bytes) else body
    given = {"host": "127.0.0.1:8501", "content-type": JSON} | {k.lower(): v for k, v in (headers or {}).items()}
    if isinstance(body, bytes):
        given.setdefault("content-length", str(len(body)))
    else:
        given["transfer-encoding"] = "chunked"
    place, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": place, "raw_path": place.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": (client, 50_000), "server": ("127.0.0.1", 8501),
    }  # fmt: skip
    waiting, sent, gone = list(parts), [], hang_up or asyncio.Event()

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    found = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))
