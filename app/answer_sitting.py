"""One person's place at the desk: the note sent, its answer, and what was decided about it. Knows no screen.

A page is run again at every click, and a click may end a run at any of the page's own calls. So everything that must
happen once (an answer, its record, a decision) is changed here, in an object that outlives runs, without such a call
between the act and its mark.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal
from uuid import uuid4

from core.access.allowance import Refusal
from core.errors import BundleError, EndpointError, NoteError, RecordsError, TriageError
from core.notes import Assessment, Note, RedFlagHit
from core.records.records import Decision, Records
from core.safety.red_flags import red_flags
from core.telemetry import observe, tracing
from core.triage import TriageDesk
from core.why import Why
from core.wording import tasks_in_order

Place = Literal["box", "answer"]
Trouble = Literal["empty", "note", "endpoint", "bundle", "settings", "unexpected", "limit"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer.

    Attributes:
        kind: which sentence to show.
        id: what to tell whoever runs the desk; the log has it too.
        red_flags: what the rules find in a note that the model could not judge; none: they could not be read.
        wait: seconds until the person may ask again, where a limit is reached.
    """

    kind: Trouble
    id: str = ""
    red_flags: tuple[RedFlagHit, ...] | None = ()
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Override:
    """A label that a person chose and has given no reason for yet."""

    task: str
    label: str


@dataclass(frozen=True, slots=True)
class Book:
    """Where answers and decisions are kept.

    Attributes:
        open: gives the records.
        person: who sits here.
        name_note: gives the keyed hash of a note's text.
    """

    open: Callable[[], Records]
    person: str
    name_note: Callable[[str], str]


@dataclass(slots=True)
class Sitting:
    """What one person has before them.

    Attributes:
        draft: what the box holds, sent or not.
        waiting: the note sent that has no answer yet.
        note: the note that the answer belongs to.
        assessment: the answer.
        answer_id: its number in the records; none while it is not recorded.
        problem: why there is no answer.
        decisions: what was decided, by task, as recorded.
        asking: an override without its reason.
        why: what the answer rests on; none until somebody asks, and where it can't be worked out.
        lost: something could not be recorded; the next try may.
        place: where the cursor belongs.
        turn: counts the moves of the cursor.
    """

    draft: Note = field(default_factory=lambda: Note(""))
    waiting: Note | None = None
    note: Note | None = None
    assessment: Assessment | None = None
    answer_id: int | None = None
    problem: Problem | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    asking: Override | None = None
    why: Why | None = None
    lost: bool = False
    place: Place = "box"
    turn: int = 0

    def send(self, note: Note) -> None:
        """Ask for an answer; a second click on the same note asks for nothing."""
        if not note.text:
            self.clear()
            self.problem = Problem("empty")
        elif note != self.note or self.assessment is None:
            self.clear()
            self.waiting = note

    def clear(self) -> None:
        """Forget note and answer; the cursor belongs in the box."""
        self.waiting = self.note = self.assessment = self.answer_id = self.problem = self.asking = self.why = None
        self.decisions = {}
        self.lost = False
        self._move("box")

    def answer(
        self, desk: Callable[[], TriageDesk], book: Book, take: Callable[[], Refusal | None] = lambda: None
    ) -> None:
        """Get the answer for the waiting note and record it. What fails stands in `problem` or `lost`.

        Args:
            desk: gives the desk.
            book: where the answer is recorded.
            take: uses one note of what the person may ask for; a refusal where that is used up.
        """
        note = self.waiting
        if note is None:
            return
        if refusal := take():
            self.waiting = None
            self.problem = Problem("limit", red_flags=flags_alone(note), wait=refusal.retry_after or 60)
            return
        started = time.perf_counter()
        try:
            with tracing.span("page"):
                self.assessment = desk().assess(note)
        except Exception as error:  # the page's edge: the kind of error says nothing about the note
            observe.failed("page", error)
            self.problem = replace(problem_of(error), red_flags=flags_alone(note))
        else:
            seconds = time.perf_counter() - started
            self.note = note
            self._record(book)
            self._move("answer")
            observe.assessed("page", (self.assessment,), seconds)
        self.waiting = None

    def explain(self, desk: Callable[[], TriageDesk]) -> None:
        """Work out what the answer rests on; where that fails the answer stands without it."""
        if self.note is None:
            return
        try:
            self.why = desk().explain(self.note)
        except Exception as error:  # the page's edge, as in `answer`
            log.warning("not explained: %s", error if isinstance(error, TriageError) else type(error).__name__)

    def differs_from(self, note: Note) -> bool:
        """Whether the answer on screen belongs to another note than this one."""
        return self.assessment is not None and note != self.note

    def label(self, task: str) -> str | None:
        """The label that counts: the person's, else the desk's."""
        if task in self.decisions:
            return self.decisions[task].decided
        return self.assessment.tasks[task].label if self.assessment and task in self.assessment.tasks else None

    @property
    def is_decided(self) -> bool:
        """Whether a person has decided every task."""
        return self.assessment is not None and self.assessment.tasks.keys() <= self.decisions.keys()

    def choose(self, task: str, label: str, book: Book) -> None:
        """Accept the desk's label, or begin to override it: a reason is asked for."""
        if self.assessment is None or task not in self.assessment.tasks:
            return
        if label == self.assessment.tasks[task].label:
            self.asking = None
            self._decide(task, label, "", book)
        elif self.label(task) != label:
            self.asking = Override(task, label)

    def give_reason(self, reason: str, book: Book) -> None:
        """End the override that was begun."""
        asked = self.asking
        if asked and self._decide(asked.task, asked.label, reason, book):
            self.asking = None

    def forget_override(self) -> None:
        """Leave the override that was begun; the label stays as it was."""
        self.asking = None

    def accept_all(self, book: Book) -> None:
        """Accept every task that nobody has decided yet."""
        self.asking = None
        for answer in tasks_in_order(self.assessment) if self.assessment else ():
            if answer.task not in self.decisions:
                self._decide(answer.task, answer.label, "", book)

    def _decide(self, task: str, label: str, reason: str, book: Book) -> bool:
        before = self.decisions.get(task)
        if before and (before.decided, before.reason) == (label, reason):
            return True  # a double click
        if self.answer_id is None:
            self._record(book)
        if self.answer_id is None:
            return False
        try:
            decision = book.open().decide(self.answer_id, task, label, reason=reason, person=book.person)
        except RecordsError as error:
            self._lose(error)
            return False
        self.decisions[task] = decision
        self.lost = False
        if not decision.accepted:
            self._keep_text(book)
        return True

    def _keep_text(self, book: Book) -> None:
        """Keep the words of an overridden note, where the site has switched that on; the decision stands without."""
        records = book.open()
        if not records.keeps_texts or self.note is None or self.answer_id is None:
            return
        try:
            records.keep_text(self.answer_id, self.note.text)
        except RecordsError:
            log.warning("a text is not kept")

    def _record(self, book: Book) -> None:
        if self.assessment is None or self.note is None:
            return
        try:
            name = book.name_note(self.note.text)
            self.answer_id = book.open().add(self.assessment, person=book.person, note_hash=name)
        except (RecordsError, OSError) as error:
            self._lose(error)
        else:
            self.lost = False

    def _lose(self, error: Exception) -> None:
        log.warning("not recorded: %s", type(error).__name__)
        self.lost = True

    def _move(self, place: Place) -> None:
        self.place = place
        self.turn += 1


KINDS: Mapping[type[TriageError], Trouble] = MappingProxyType(
    {NoteError: "note", EndpointError: "endpoint", BundleError: "bundle", TriageError: "settings"}
)


def flags_alone(note: Note) -> tuple[RedFlagHit, ...] | None:
    """What the rules find without a model; none where they can't be read."""
    try:
        return red_flags().find(note)
    except Exception as error:  # there is no answer already: what the rules would say must not break the page, too
        log.error("no red flags: %s", error if isinstance(error, TriageError) else type(error).__name__)
        return None


def problem_of(error: Exception) -> Problem:
    """What to say about an error; all but a note without words go to the log, with an id that the page shows."""
    kind: Trouble = "unexpected"
    for one, its_kind in reversed(tuple(KINDS.items())):
        if isinstance(error, one):
            kind = its_kind
    if kind == "note":
        return Problem("note")
    found = Problem(kind, uuid4().hex[:8])
    # An error of ours never holds a note's text; of any other only the type is safe.
    log.error("no answer (%s): %s", found.id, error if isinstance(error, TriageError) else type(error).__name__)
    return found
