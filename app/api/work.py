"""The desk's work for programs: in a bounded pool of threads, in turn between keys, recorded where it is done."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from starlette.requests import Request

from app.api.guard import Guard
from app.api.names import request_id
from app.api.problems import Problem, problem_of, with_flags
from app.stopping import Stopping
from core.access.allowance import Allowances, Work
from core.access.principal import Principal
from core.access.turns import CALLS, TOGETHER, Turns
from core.errors import BundleError, EndpointError, RecordsError, TriageError
from core.notes import Assessment, Note, RedFlagHit
from core.readiness import ReadinessCheck
from core.records.hashing import note_hash
from core.records.records import NewAnswer, Records
from core.safety.red_flags import red_flags
from core.settings import Settings
from core.telemetry import observe, tracing
from core.triage import TriageDesk
from core.why import Why

SHORT = 1000  # characters; a longer note keeps the endpoint busy and shares its call with nobody
FILES_AT_ONCE = 4  # tables that are looked into, exported or deleted at once
NOT_RECORDED = "not_recorded"  # among an answer's warnings
Answer = Assessment | TriageError
Found = Assessment | TriageError | Why | None


@dataclass(frozen=True, slots=True)
class Ask:
    """One note that somebody waits for.

    Attributes:
        note: the note.
        person: whose name stands in the records.
        request: the id of the request, for the log.
        why: whether not an answer is wanted, but what it rests on.
        trace: where in a trace it was asked, where traces are sent.
    """

    note: Note
    person: str
    request: str
    why: bool = False
    trace: tracing.Place = field(default_factory=tracing.here)


T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Services:
    """What the routes need, opened once for each server.

    Attributes:
        settings: in force.
        desk: gives the open desk, or opens it.
        records: gives the records.
        guard: who asks.
        stopping: whether anything is still taken.
        allowances: how much each key may ask for.
        readiness: whether the desk can answer.
        turns: who is served next.
    """

    settings: Settings
    desk: Callable[[], TriageDesk]
    records: Callable[[], Records]
    guard: Guard
    stopping: Stopping
    allowances: Allowances
    readiness: ReadinessCheck
    turns: Turns[Ask, Found] = field(init=False)
    notes_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(CALLS, "api-notes"))
    files_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FILES_AT_ONCE, "api-files"))

    def __post_init__(self) -> None:
        self.turns = Turns(self._found, self.notes_pool, alone=_is_alone)

    def close(self) -> None:
        """Let go of threads; what is under way has ended before."""
        self.readiness.close()
        for pool in (self.notes_pool, self.files_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    async def assess(self, request: Request, principal: Principal, notes: Sequence[Note]) -> list[Answer]:
        """An assessment, or why there is none, for each note; recorded. Ends early where the client has gone.

        Raises:
            Problem: there is no answer at all; it tells which red flags the notes have.
        """
        started = time.perf_counter()
        try:
            answers = await self._assessed(request, principal, notes)
        except (EndpointError, BundleError) as error:
            observe.failed("api", error, len(notes))
            raise with_flags(problem_of(error), await asyncio.to_thread(_flags_alone, notes)) from None
        except Problem as error:
            observe.refused("api", error.kind, len(notes))
            raise
        except Exception as error:
            observe.failed("api", error, len(notes))
            raise
        observe.assessed("api", answers, time.perf_counter() - started)
        return answers

    async def _assessed(self, request: Request, principal: Principal, notes: Sequence[Note]) -> list[Answer]:
        await self.allow(principal, "notes", len(notes))
        asks = [Ask(note, principal.name, request_id.get()) for note in notes]
        patience = self.settings.embedding_timeout * (1 + (len(notes) - 1) // TOGETHER)
        found = await unless_gone(request, self.turns.outcomes(principal.name, asks, patience))
        return [answer for answer in found if isinstance(answer, Assessment | TriageError)]

    async def explain(self, request: Request, principal: Principal, note: Note) -> Why | None:
        """What the answer to a note rests on; none where that can't be worked out now: the answer is there already."""
        ask = Ask(note, principal.name, request_id.get(), why=True)
        try:
            turn = self.turns.outcomes(principal.name, [ask], self.settings.embedding_timeout)
            found = (await unless_gone(request, turn))[0]
        except TriageError as error:
            log.warning("api: not explained: %s", type(error).__name__)
            return None
        return found if isinstance(found, Why) else None

    async def allow(self, principal: Principal, work: Work, amount: int = 1) -> None:
        """Use some of what the principal may ask for.

        Raises:
            Problem: 429, it is used up; 422, it is never enough for so much at once.
        """
        arguments = work, principal.name, amount
        refusal = (
            await asyncio.to_thread(self.allowances.take, *arguments)
            if self.allowances.is_shared
            else self.allowances.take(*arguments)
        )
        if refusal is None:
            return
        allowed = f"{refusal.allowed} {'notes' if work == 'notes' else 'tables'} a {refusal.period}"
        if refusal.retry_after is None:
            raise Problem(422, "too-many", f"A key may send {allowed}; this list is longer. Send it in parts.")
        raise Problem(
            429,
            "rate",
            f"A key may send {allowed}; that is used up. Nothing was assessed. Wait as Retry-After says.",
            {"Retry-After": str(refusal.retry_after)},
        )

    async def with_files(self, work: Callable[[], T]) -> T:
        """Do something with a table's files, which takes long."""
        return await asyncio.get_running_loop().run_in_executor(self.files_pool, contextvars.copy_context().run, work)

    def _found(self, asks: list[Ask]) -> list[Found]:
        """The desk's work, in a thread."""
        with tracing.within(asks[0].trace):  # of notes that go together, the first one's
            if asks[0].why:
                return [self.desk().explain(ask.note) for ask in asks]
            found = self.desk().assess_many([ask.note for ask in asks])
        return self._recorded(asks, found)

    def _recorded(self, asks: Sequence[Ask], found: Sequence[Answer]) -> list[Found]:
        """Keep answers in the records, as the Triage page does; those that can't be kept say so.

        This is the one place where assessments that a program asked for are recorded.
        """
        folder = self.settings.data_dir
        given = [
            NewAnswer(answer, ask.person, note_hash(ask.note.text, folder))
            for ask, answer in zip(asks, found, strict=True)
            if isinstance(answer, Assessment)
        ]
        try:
            self.records().add_many(given)
        except RecordsError as error:
            log.warning("api: not recorded (request %s): %s", ", ".join({ask.request for ask in asks}), error)
            return [
                replace(answer, warnings=(*answer.warnings, NOT_RECORDED)) if isinstance(answer, Assessment) else answer
                for answer in found
            ]
        return list(found)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The outcome of `work`; cancelled where the client hangs up, so that nothing further is begun for it.

    Raises:
        Problem: nobody reads this answer any more.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.create_task(_hung_up(request))
    gone.add_done_callback(lambda _: working.cancel())
    try:
        return await working
    except asyncio.CancelledError:
        if gone.done() and not gone.cancelled():
            raise Problem(408, "gone", "The client has gone.") from None
        raise
    finally:
        gone.cancel()
        working.cancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _is_alone(ask: Ask) -> bool:
    return ask.why or len(ask.note.text) > SHORT


def _flags_alone(notes: Sequence[Note]) -> list[Sequence[RedFlagHit] | None]:
    """What the rules find in each note; none where they can't be read."""
    try:
        return list(red_flags().find_many(notes))
    except TriageError:
        return [None] * len(notes)
