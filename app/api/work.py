"""The desk's work for programs: in a bounded pool of threads, in turn between keys, recorded where it is done."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from starlette.requests import Request

from app.api.guard import Guard
from app.api.problems import Problem, problem_of, with_flags
from app.stopping import Stopping
from core.access.allowance import Allowances, Work
from core.access.principal import Principal
from core.access.turns import PLACES, Turns
from core.errors import BundleError, EndpointError, EndpointTimeout, RecordsError, TriageError
from core.notes import Assessment, Note, RedFlagHit
from core.readiness import ReadinessCheck
from core.records.hashing import note_hash
from core.records.records import Records
from core.safety.red_flags import red_flags
from core.settings import Settings
from core.triage import TriageDesk
from core.why import Why

PART = 32  # notes of a list that are assessed in one turn, so that others come in between
FILES_AT_ONCE = 4  # tables that are looked into, exported or deleted at once
NOT_RECORDED = "not_recorded"  # among an answer's warnings
Answer = Assessment | TriageError
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
        turns: places at the desk.
    """

    settings: Settings
    desk: Callable[[], TriageDesk]
    records: Callable[[], Records]
    guard: Guard
    stopping: Stopping
    allowances: Allowances
    readiness: ReadinessCheck
    turns: Turns = field(default_factory=Turns)
    notes_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PLACES, "api-notes"))
    files_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FILES_AT_ONCE, "api-files"))

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
        await self.allow(principal, "notes", len(notes))
        try:
            return await unless_gone(request, self._in_parts(principal, notes))
        except (EndpointError, BundleError) as error:
            raise with_flags(problem_of(error), await asyncio.to_thread(_flags_alone, notes)) from None

    async def explain(self, request: Request, principal: Principal, note: Note) -> Why | None:
        """What the answer to a note rests on; none where that can't be worked out now: the answer is there already."""

        def explained() -> Why | None:
            try:
                return self.desk().explain(note)
            except TriageError as error:
                log.warning("api: not explained: %s", type(error).__name__)
                return None

        return await unless_gone(request, self._in_turn(principal, explained))

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

    async def _in_parts(self, principal: Principal, notes: Sequence[Note]) -> list[Answer]:
        found: list[Answer] = []
        for start in range(0, len(notes), PART):
            part = notes[start : start + PART]
            found += await self._in_turn(principal, lambda part=part: self._assessed(part, principal))  # type: ignore[misc]
        return found

    async def _in_turn(self, principal: Principal, work: Callable[[], T]) -> T:
        """Do desk work in a thread when it is this principal's turn.

        The place is kept until the work has ended, also where nobody waits for it any more.

        Raises:
            EndpointTimeout: no turn came within the time that a pasted note has.
            DeskBusy: too many wait.
        """
        try:
            async with asyncio.timeout(self.settings.embedding_timeout):
                await self.turns.take(principal.name)
        except TimeoutError:
            raise EndpointTimeout("The desk is busy with other notes. Nothing was lost.") from None
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self.notes_pool, contextvars.copy_context().run, work)
        done.add_done_callback(lambda _: self.turns.give_back())
        return await asyncio.shield(done)

    def _assessed(self, notes: Sequence[Note], principal: Principal) -> list[Answer]:
        found = self.desk().assess_many(notes)
        return [
            answer if isinstance(answer, TriageError) else self._recorded(answer, note, principal)
            for answer, note in zip(found, notes, strict=True)
        ]

    def _recorded(self, found: Assessment, note: Note, principal: Principal) -> Assessment:
        """Keep an answer in the records, as the Triage page does; one that can't be kept says so.

        This is the one place where an assessment that a program asked for is recorded.
        """
        try:
            name = note_hash(note.text, self.settings.data_dir)
            self.records().add(found, person=principal.name, note_hash=name)
        except RecordsError as error:
            log.warning("api: not recorded: %s", error)
            return replace(found, warnings=(*found.warnings, NOT_RECORDED))
        return found


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The outcome of `work`; cancelled where the client hangs up, so that nothing further is begun for it.

    Raises:
        Problem: nobody reads this answer any more.
    """
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Problem(408, "gone", "The client has gone.")
    finally:
        gone.cancel()
        working.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _flags_alone(notes: Sequence[Note]) -> list[Sequence[RedFlagHit] | None]:
    """What the rules find in each note; none where they can't be read."""
    try:
        return list(red_flags().find_many(notes))
    except TriageError:
        return [None] * len(notes)
