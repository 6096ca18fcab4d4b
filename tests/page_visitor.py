"""A person at the Triage page without a browser: the WebSocket that the page uses, in Streamlit's own messages."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

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
    """

    address: str
    _widgets: dict[str, str] = field(default_factory=dict)
    _values: dict[str, WidgetState] = field(default_factory=dict)
    _socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        """Open the page."""
        # Streamlit reads its session from the protocol's second word; a new one has none.
        self._socket = await connect(
            f"ws://{self.address}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{self.address}",  # type: ignore[arg-type]
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
        box, send = self._widgets["text"], self._widgets["assess"]
        self._values[box] = WidgetState(id=box, string_value=text)
        started = time.perf_counter()
        seen = await self._run(WidgetState(id=send, trigger_value=True))
        assert b"acuity" in seen, "the page shows no answer"
        return time.perf_counter() - started, NOT_RECORDED not in seen

    async def _run(self, pressed: WidgetState | None) -> bytes:
        """Have the page run, and read until that run has ended; all that came."""
        assert self._socket is not None
        state = ClientState(query_string="", page_script_hash="")
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


async def crowd(address: str, people: int, seconds: float, pace: float, texts: Iterator[str]) -> list[Answered]:
    """So many people who paste a note every `pace` seconds, each at a moment of their own; every answer they saw.

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
        async with Visitor(address) as page:
            if await everybody.wait() == 0:
                zero = time.perf_counter()
                beginning.set()
            await beginning.wait()
            due = zero + pace * number / people
            while due < zero + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                begun = time.perf_counter() - zero
                found.append(Answered(begun, *await page.ask(next(texts))))
                due += pace

    async with asyncio.TaskGroup() as group:
        for number in range(people):
            group.create_task(person(number))
    return found
