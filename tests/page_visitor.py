"""A person at the Triage page without a browser: the WebSocket that the page uses, in Streamlit's own messages.

As in a browser, parts of a page that run by themselves run every few seconds while it is open.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from websockets.asyncio.client import ClientConnection, connect

from app.sign_in.door import USED

OPENING = 60.0
NOT_RECORDED = b"Not recorded"
LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that stood on a page.

    Attributes:
        begun: when the note was sent, seconds from the crowd's beginning.
        seconds: until the answer stood there.
        is_recorded: whether the page did not say that it is not in the records.
    """

    begun: float
    seconds: float
    is_recorded: bool


@dataclass
class Visitor:
    """One open page.

    Attributes:
        address: `host:port` of the desk.
        cookie: the browser's cookies, where people sign in.
    """

    address: str
    cookie: str = ""
    _widgets: dict[str, str] = field(default_factory=dict)
    _due: dict[str, tuple[float, float]] = field(default_factory=dict)  # of each part: when it runs next, how often
    _values: dict[str, WidgetState] = field(default_factory=dict)
    _socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        """Open the page."""
        # The protocol's second word is compared with a cookie before that of sign-in is looked at.
        token = generate_xsrf_token_string()
        cookies = "; ".join(filter(None, (f"{XSRF_COOKIE_NAME}={token}", self.cookie)))
        self._socket = await connect(
            f"ws://{self.address}/_stcore/stream",
            subprotocols=["streamlit", token],  # type: ignore[list-item]
            origin=f"http://{self.address}",  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies},
            max_size=LARGEST,
            open_timeout=OPENING,
            ping_interval=None,
        )
        await self._run(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the page."""
        if self._socket:
            await self._socket.close()

    async def ask(self, text: str) -> tuple[float, bool]:
        """Paste a note and send it; seconds until its answer stands on the page, and whether it is recorded.

        Raises:
            AssertionError: the page shows no answer.
        """
        if self.cookie:
            await asyncio.to_thread(self._use)
        box, send = self._widgets["text"], self._widgets["assess"]
        self._values[box] = WidgetState(id=box, string_value=text)
        started = time.perf_counter()
        seen = await self._run(WidgetState(id=send, trigger_value=True))
        assert b"acuity" in seen, "the page shows no answer"
        return time.perf_counter() - started, NOT_RECORDED not in seen

    async def rest(self, until: float) -> None:
        """Leave the page as it is until a moment of `time.perf_counter`; its parts run meanwhile."""
        while (now := time.perf_counter()) < until:
            part, (due, every) = min(self._due.items(), key=lambda each: each[1], default=("", (until, 0.0)))
            await asyncio.sleep(max(0.0, min(due, until) - now))
            if part and due < until:
                self._due[part] = time.perf_counter() + every, every
                await self._run(None, part)

    def _use(self) -> None:
        """Tell that somebody types here, as the page does."""
        connection = HTTPConnection(self.address)
        connection.request("POST", USED, headers={"Cookie": self.cookie})
        assert connection.getresponse().status == 204
        connection.close()

    async def _run(self, pressed: WidgetState | None, part: str = "") -> bytes:
        """Have the page, or a part of it, run, and read until that run has ended; all that came."""
        assert self._socket is not None
        state = ClientState(query_string="", page_script_hash="", fragment_id=part, is_auto_rerun=bool(part))
        if not part:
            self._due.clear()
        state.widget_states.widgets.extend(self._values.values())
        if pressed:
            state.widget_states.widgets.append(pressed)
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        seen: list[bytes] = []
        async with asyncio.timeout(OPENING):
            while True:
                content = await self._socket.recv()
                assert isinstance(content, bytes)
                message = ForwardMsg.FromString(content)
                kind = message.WhichOneof("type")
                if kind == "delta":
                    seen.append(content)
                    self._remember(message)
                elif kind == "auto_rerun":
                    every = message.auto_rerun.interval
                    self._due[message.auto_rerun.fragment_id] = time.perf_counter() + every, every
                elif kind == "script_finished":
                    if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        continue
                    return b"".join(seen)

    def _remember(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("text_area", "button"):
            widget = getattr(element, kind)
            # A key stands at the end of a widget's id.
            self._widgets[widget.id.rpartition("-")[2]] = widget.id


async def crowd(
    address: str, people: int, seconds: float, pace: float, texts: Iterator[str], cookies: Sequence[str] = ()
) -> list[Answered]:
    """So many people who paste a note every `pace` seconds, each at a moment of their own; every answer they saw.

    Args:
        address: `host:port` of the desk.
        people: how many.
        seconds: how long.
        pace: seconds between two notes of one person.
        texts: their notes.
        cookies: of each person's browser; none where nobody signs in.

    Raises:
        AssertionError, OSError, TimeoutError: a page could not be opened, or gave no answer.
    """
    found: list[Answered] = []
    everybody = asyncio.Barrier(people)
    beginning = asyncio.Event()
    zero = 0.0

    async def person(number: int) -> None:
        nonlocal zero
        await asyncio.sleep(0.05 * number)  # pages are opened one after another, as at the start of a shift
        async with Visitor(address, cookies[number] if cookies else "") as page:
            if await everybody.wait() == 0:
                zero = time.perf_counter()
                beginning.set()
            await beginning.wait()
            due = zero + pace * number / people
            while due < zero + seconds:
                await page.rest(due)
                begun = time.perf_counter() - zero
                found.append(Answered(begun, *await page.ask(next(texts))))
                due += pace

    async with asyncio.TaskGroup() as group:
        for number in range(people):
            group.create_task(person(number))
    return found
