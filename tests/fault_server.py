"""An OpenAI-compatible `/v1/embeddings` server that fails on demand: the one test double of the project.

It stands in for what real servers cannot be made to do when asked (hang in the middle of an answer, answer NaN, change
the model while running), and it is fast enough to be the stand-in of speed measurements. In a test::

    with FaultServer(delay=0.05, slots=16) as server:
        server.script(Behaviour(status=503, retry_after="1"), times=2)  # the next two requests; then the default again
        client = OpenAI(base_url=server.url, api_key="none")

For measurements in a process of its own: `python -m tests.fault_server --port 9000 --delay 0.05 --slots 16`. There,
`POST /control` with the fields of `Behaviour` as JSON sets the default behaviour, and `GET /counters` tells what was
asked.

Vectors are unit vectors drawn from a hash of model name and text: the same alone, in a list, and in every process.
"""

import argparse
import asyncio
import base64
import collections
import json
import random
import threading
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from tests.fault_behaviour import PLAIN, TROUBLES, Behaviour, VectorTable

__all__ = ["Behaviour", "FaultServer"]


class FaultServer:
    """The server, on a thread of its own when used as a context manager.

    Attributes:
        behaviour: the answer to every request that no script covers; may be set at any time.
        trouble: share of the requests that no script covers which fail in one of many ways instead.
        requests: number of texts of each request so far, in order of arrival.
        texts: every text received, in order of arrival (off by default: `keep_texts`).
        priorities: the field `priority` of each request, in order of arrival.
        busiest: most requests that were being answered at once.
        api_key: when set, requests without it get a 401.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        slots: int = 1_000_000,
        dimension: int = 384,
        model: str = "fault-model",
        port: int = 0,
        api_key: str | None = None,
        keep_texts: bool = True,
        behaviour: Behaviour = PLAIN,
        trouble: float = 0.0,
    ) -> None:
        self.delay, self.slots, self.dimension, self.port, self.api_key = delay, slots, dimension, port, api_key
        self.behaviour, self.trouble = behaviour, trouble
        self._chance = random.Random(20)
        self.requests: list[int] = []
        self.texts: list[str] = []
        self.keep_texts = keep_texts
        self.priorities: list[int | None] = []
        self.busy = self.busiest = 0
        self.unauthorised = 0
        self._script: collections.deque[Behaviour] = collections.deque()
        self._connections: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self.free: asyncio.Semaphore | None = None
        self.model = model

    @property
    def model(self) -> str:
        """The model's name; setting it changes all vectors."""
        return self._model

    @model.setter
    def model(self, name: str) -> None:
        self.table = VectorTable(name, self.dimension)
        self._model = name

    @property
    def url(self) -> str:
        """What the client takes as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *behaviours: Behaviour, times: int = 1) -> None:
        """Answer the next requests so, one each, `times` over; then `behaviour` rules again."""
        self._script.extend(behaviours * times)

    def next_behaviour(self) -> Behaviour:
        """How the request that has just arrived is to be answered."""
        if self._script:
            return self._script.popleft()
        return self._chance.choice(TROUBLES) if self._chance.random() < self.trouble else self.behaviour

    def vector(self, text: str) -> np.ndarray:
        """The vector that the server gives for `text`."""
        return self.table.vector(text)

    async def start(self) -> None:
        """Listen."""
        self.free = asyncio.Semaphore(self.slots)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Self:
        ready = threading.Event()

        def run() -> None:
            self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(self.start())
            ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(self._stop())
            self._loop.close()

        self._thread = threading.Thread(target=run, name="fault-server", daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the fault server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop = self._thread = None

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop_listening(self) -> None:
        """Refuse connections and cut those that are open, as a killed server does; `listen_again` undoes it."""
        self.__exit__()

    def listen_again(self) -> None:
        """Come back on the same port."""
        self.__enter__()


class _Connection(asyncio.Protocol):
    """One client's connection: parses HTTP/1.1 requests and answers them one after another."""

    transport: asyncio.Transport

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.buffer = bytearray()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.server._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server._connections.discard(self)
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        length = _content_length(head)
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        self.task = asyncio.get_running_loop().create_task(self.answer(head, body))

    async def answer(self, head: bytes, body: bytes) -> None:
        """Answer one request."""
        server = self.server
        method, path, _ = head.split(b" ", 2)
        if server.api_key and f"bearer {server.api_key}".lower().encode() not in head.lower():
            server.unauthorised += 1
            self.send(401, b'{"error":"Unauthorized"}')
        elif method == b"POST" and path.endswith(b"/embeddings"):
            await self.embeddings(json.loads(body))
        elif method == b"POST" and path == b"/control":
            server.behaviour = Behaviour(**json.loads(body))
            self.send(200, b"{}")
        else:
            self.get(path)

    def get(self, path: bytes) -> None:
        """The routes that only tell something."""
        server = self.server
        if path.endswith(b"/models"):
            found = {"object": "list", "data": [{"id": server.model, "object": "model", "max_model_len": 32768}]}
            self.send(200, json.dumps(found).encode())
        elif path in (b"/ready", b"/health"):
            self.send(200, b"")
        elif path == b"/counters":
            counters = {"requests": len(server.requests), "texts": sum(server.requests), "busiest": server.busiest}
            self.send(200, json.dumps(counters).encode())
        else:
            self.send(404, b'{"error":{"message":"unknown route"}}')

    async def embeddings(self, request: dict[str, Any]) -> None:
        """`POST /v1/embeddings`, in the manner that the script or the default says."""
        server = self.server
        texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
        server.requests.append(len(texts))
        server.priorities.append(request.get("priority"))
        if server.keep_texts:
            server.texts.extend(texts)
        behaviour = server.next_behaviour()
        assert server.free is not None
        async with server.free:
            server.busy += 1
            server.busiest = max(server.busiest, server.busy)
            try:
                delay = server.delay if behaviour.delay is None else behaviour.delay
                if delay:
                    await asyncio.sleep(delay)
                await self.respond(behaviour, texts, request.get("encoding_format") == "base64")
            finally:
                server.busy -= 1

    async def respond(self, how: Behaviour, texts: list[str], coded: bool) -> None:
        """Send the answer, whole or spoiled."""
        if how.hang == "before":
            await asyncio.Event().wait()
        refused = _refusal(how, texts)
        if how.reset:
            self.transport.abort()
        elif refused:
            self.send(refused, _error_body(how, refused), how.retry_after)
        elif how.html:
            self.send(200, b"<html><body>sign in</body></html>", kind=b"text/html")
        else:
            body = self.plain_body(texts) if how.plain and coded else _spoiled_body(self.server, how, texts, coded)
            await self.send_slowly(body, how) if how.hang or how.dribble else self.send(200, body)

    def plain_body(self, texts: Sequence[str]) -> bytes:
        """A correct base64 answer, put together from bytes made beforehand."""
        coded = self.server.table.coded
        items = [b'{"index":%d,"embedding":"%b"}' % (i, coded(text)) for i, text in enumerate(texts)]
        return b'{"object":"list","model":"%b","data":[%b],"usage":{"prompt_tokens":1,"total_tokens":1}}' % (
            self.server.model.encode(),
            b",".join(items),
        )

    def send(self, status: int, body: bytes, retry_after: str | None = None, kind: bytes = b"application/json") -> None:
        """One whole answer."""
        extra = b"Retry-After: %b\r\n" % retry_after.encode() if retry_after is not None else b""
        self.transport.write(_head(status, len(body), kind, extra) + body)

    async def send_slowly(self, body: bytes, how: Behaviour) -> None:
        """Half an answer and then nothing, or a byte at a time."""
        self.transport.write(_head(200, len(body), b"application/json", b""))
        if how.hang == "middle":
            self.transport.write(body[: len(body) // 2])
            await asyncio.Event().wait()
        for byte in body:
            self.transport.write(bytes([byte]))
            await asyncio.sleep(how.dribble)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _head(status: int, length: int, kind: bytes, extra: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (status, kind, length, extra)


def _refusal(how: Behaviour, texts: Sequence[str]) -> int:
    """The error status for this list, or 0."""
    if how.status != 200:
        return how.status
    if how.refuse_lists_over and len(texts) > how.refuse_lists_over:
        return 503
    bad = (
        (how.refuse_text and any(how.refuse_text in text for text in texts))
        or (how.refuse_longer and any(len(text) > how.refuse_longer for text in texts))
        or (how.refuse_blank and not all(text.strip() for text in texts))
    )
    return 400 if bad else 0


def _error_body(how: Behaviour, status: int) -> bytes:
    message = "refused by /srv/secret/path/model.py"  # a client must never show a server's own words
    if how.html:
        return b"<html><body>Bad gateway</body></html>"
    if how.flat:
        return json.dumps({"object": "error", "message": message, "type": "BadRequest", "code": status}).encode()
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": None}}).encode()


def _spoiled_body(server: FaultServer, how: Behaviour, texts: Sequence[str], coded: bool) -> bytes:
    """An answer that is put together slowly because something about it is unusual."""
    table = VectorTable(server.model, how.dimension) if how.dimension else server.table
    rows = [table.vector(text) * np.float32(how.scale) for text in texts]
    if how.value:
        rows[-1] = np.zeros_like(rows[-1]) if how.value == "zero" else rows[-1]
        if how.value != "zero":
            rows[-1][0] = float(how.value)
    rows = rows[: len(rows) + how.change] if how.change < 0 else rows + rows[:1] * how.change
    items: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        wire = row.astype("<f4")
        vector = base64.b64encode(wire.tobytes()).decode() if coded and not how.floats else [float(x) for x in wire]
        items.append({"object": "embedding", "index": index, "embedding": vector})
    _spoil_index(items, how.index)
    if how.shuffle:
        random.Random(7).shuffle(items)
    return json.dumps({"object": "list", "model": server.model, "data": items}).encode()


def _spoil_index(items: list[dict[str, Any]], how: str) -> None:
    if how == "missing":
        del items[-1]["index"]
    elif how == "duplicate":
        items[-1]["index"] = 0
    elif how == "huge":
        items[-1]["index"] = 10**9


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted or until standard input closes (`--until-eof`)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each request takes")
    parser.add_argument("--slots", type=int, default=1_000_000, help="requests answered at once; others wait")
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--model", default="fault-model")
    parser.add_argument("--api-key")
    parser.add_argument("--trouble", type=float, default=0.0, help="share of the requests that fail")
    options = parser.parse_args(arguments)

    async def serve() -> None:
        server = FaultServer(**vars(options), keep_texts=False)
        await server.start()
        print(server.url, flush=True)  # noqa: T201 -- the starter reads the port from here
        await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
