"""Records in a database: answers, decisions, and the audit log, in which each of them stands from the same moment on.

Messages of errors are whole sentences without places or values: they can be shown and translated as they are. The kind
of the error goes to the log.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, insert, select
from sqlalchemy.exc import SQLAlchemyError

from core.errors import RecordsError
from core.notes import Assessment
from core.records.acts import Act
from core.records.chain import Chain, Entry, Head, audit_key
from core.records.engine import for_one_view, for_writing, make_place, note_in_log, open_engine
from core.records.reasons import REASONS
from core.records.records import AnsweredNote, Decision, NewAnswer
from core.records.rows import NO_DECISIONS, answer_facts, answer_row, answered_note, decision_of
from core.records.schema import bring_up_to_date
from core.records.tables import answers, decisions
from core.records.texts import SWITCHED_OFF, Texts, forget_expired
from core.records.together import Together
from core.settings import Settings
from core.telemetry import observe

TURN = 1.0  # seconds that a thread waits for those before it
TIDY_EVERY = timedelta(minutes=1)
CANNOT_READ = "The records can't be read now. Nothing was lost; try again in a moment."
CANNOT_WRITE = "This was not recorded: the records can't be written now. Try again in a moment."
NO_SUCH_ANSWER = "This answer is not in the records, so no decision about it can be kept."


def open_records(settings: Settings) -> "DatabaseRecords":
    """The records that the settings name; connects, and makes the tables, at first use.

    Raises:
        RecordsError: the URL can't be used.
    """
    key = settings.texts_key
    return DatabaseRecords(
        open_engine(settings.effective_database_url),
        key=partial(audit_key, settings.data_dir),
        texts=Texts(settings.keep_texts_days, key.get_secret_value() if key else None),
    )


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Pen:
    """A transaction that holds the end of the audit log: what is written in it stands there, or nothing is."""

    connection: Connection
    chain: Chain
    head: Head
    at: datetime
    entries: list[Entry] = field(default_factory=list)

    def note(self, kind: Act, person: str, facts: Mapping[str, Any], note_hash: str | None = None) -> None:
        """Add a row to the audit log, at the transaction's end."""
        self.entries.append(Entry(kind, person, facts, note_hash or None))

    def seal(self) -> None:
        """Write the rows."""
        self.chain.add(self.connection, self.head, self.entries, at=self.at)


class DatabaseRecords:
    """Answers, decisions and their audit log. Can be used by several threads, beside other processes."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime] = now,
        *,
        key: Callable[[], bytes],
        texts: Texts | None = None,
    ) -> None:
        """Binds the records to a database.

        Args:
            engine: how to reach it (`core.records.engine`).
            clock: the time to record.
            key: gives the key of the audit log's seals, at first use.
            texts: what is kept of overridden notes; by default nothing.
        """
        self._engine, self._for_writing, self._for_one_view = engine, for_writing(engine), for_one_view(engine)
        self._clock = clock
        self._key = key
        self._texts = texts or Texts()
        self._lock = Lock()
        self._turn = Lock()
        self._adding = Together(self._add)
        self._chain: Chain | None = None
        self._tidied: datetime | None = None

    @property
    def chain(self) -> Chain:
        """What seals the audit log; makes the tables at first use.

        Raises:
            RecordsError: the database or the installation's secret can't be used.
            SQLAlchemyError: the database can't be used now.
        """
        with self._lock:
            if self._chain is None:
                make_place(self._engine.url)
                chain = Chain(self._key())
                bring_up_to_date(self._engine, chain, self._clock)
                self._chain = chain
            return self._chain

    def add(self, assessment: Assessment, *, person: str, note_hash: str) -> int:
        """Record an answer; its id.

        Raises:
            RecordsError: it was not recorded.
        """
        return self.add_many([NewAnswer(assessment, person, note_hash)])[0]

    def add_many(self, given: Sequence[NewAnswer]) -> list[int]:
        """Record answers, those of several threads in one transaction; their ids, in order.

        Raises:
            RecordsError: none was recorded.
        """
        return self._adding.outcomes(given) if given else []

    def _add(self, given: Sequence[NewAnswer]) -> list[int]:
        with self.writing() as pen:
            rows = [answer_row(each, pen.at) for each in given]
            numbers = list(pen.connection.execute(_ADD_ANSWERS, rows).scalars())
            for number, each in zip(numbers, given, strict=True):
                facts = {"answer": number, **answer_facts(each.assessment)}
                pen.note(Act.ASSESSMENT, each.person, facts, each.note_hash)
        return numbers

    def decide(self, answer: int, task: str, label: str, *, reason: str, person: str) -> Decision:
        """Record what a person decided about one task of an answer.

        Args:
            answer: its id.
            task: which of its tasks.
            label: the label that the person gave; the desk's own where it was accepted.
            reason: a code of `REASONS` where it was overridden; not kept where it was accepted.
            person: who decided.

        Raises:
            RecordsError: it was not recorded.
            ValueError: the answer has no such task, or an override no known reason.
        """
        with self.reading() as connection:  # apart: an answer never changes
            found = connection.execute(_ANSWER, {"wanted": answer}).one_or_none()
        if found is None:
            raise RecordsError(NO_SUCH_ANSWER)
        if task not in found.labels:
            raise ValueError("the answer has no such task")
        given = str(found.labels[task])
        if label != given and reason not in REASONS:
            raise ValueError(f"an override needs one of these reasons: {', '.join(REASONS)}")
        reason = "" if label == given else reason
        facts = {"answer": answer, "task": task, "given": given, "decided": label, "reason": reason}
        with self.writing() as pen:
            pen.connection.execute(_ADD_DECISION, {**facts, "person": person, "at": pen.at})
            kind = Act.ACCEPTANCE if label == given else Act.OVERRIDE
            pen.note(kind, person, facts, found.note_hash)
        decision = Decision(task, given, label, reason, person, pen.at)
        observe.decided(decision)
        return decision

    def note(self, kind: Act, person: str, facts: Mapping[str, Any], *, note_hash: str | None = None) -> None:
        """Add a row to the audit log about something that is no answer and no decision.

        Raises:
            RecordsError: it was not recorded; facts that no audit log may keep are not, either.
        """
        with self.writing() as pen:
            pen.note(kind, person, facts, note_hash)

    @property
    def keeps_texts(self) -> bool:
        """Whether this site keeps the texts of overridden notes."""
        return self._texts.are_kept

    def keep_text(self, answer: int, text: str) -> None:
        """Keep the text of an overridden note, encrypted, until its time has passed.

        Raises:
            RecordsError: the site keeps none, or it was not kept.
        """
        if not self.keeps_texts:
            raise RecordsError(SWITCHED_OFF)
        with self.writing() as pen:
            self._texts.keep(pen.connection, answer, text, pen.at)

    def kept_texts(self) -> dict[int, str]:
        """The texts that are kept, by answer.

        Raises:
            RecordsError: there is no key, not the right one, or the database can't be read.
        """
        with self.reading() as connection:
            return dict(self._texts.read(connection, self._clock()))

    def tidy(self) -> None:
        """Make the tables, and delete the texts whose time has passed: what a server does at its start.

        Raises:
            RecordsError: the database can't be used.
        """
        with self.writing():
            pass

    def answers(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        person: str | None = None,
        newest: int | None = None,
    ) -> list[AnsweredNote]:
        """Answers given from `since` until before `until`, oldest first, each with its last decisions.

        Args:
            since: a moment with a zone.
            until: a moment with a zone.
            person: whose; none: everybody's.
            newest: how many at most, the last ones; none: all.

        Raises:
            RecordsError: they can't be read.
        """
        wanted: list[ColumnElement[bool]] = []
        if since is not None:
            wanted.append(answers.c.at >= since)
        if until is not None:
            wanted.append(answers.c.at < until)
        if person is not None:
            wanted.append(answers.c.person == person)
        if newest is not None:
            last_ones = select(answers.c.id).where(*wanted).order_by(answers.c.at.desc(), answers.c.id.desc())
            wanted = [answers.c.id.in_(last_ones.limit(newest))]
        their_decisions = select(decisions).join(answers).where(*wanted).order_by(decisions.c.id)
        with self.reading() as connection:
            last: dict[int, dict[str, Decision]] = {}
            for row in connection.execute(their_decisions):
                last.setdefault(row.answer, {})[row.task] = decision_of(row)
            rows = connection.execute(select(answers).where(*wanted).order_by(answers.c.at, answers.c.id))
            alike: dict[object, Any] = {}
            return [answered_note(row, last.get(row.id, NO_DECISIONS), alike) for row in rows]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def one_view(self) -> Iterator[Connection]:
        """A connection that sees one state of the database until the block's end.

        Raises:
            RecordsError: the database can't be read.
        """
        with self._connection(CANNOT_READ, self._for_one_view) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from.

        Raises:
            RecordsError: the database can't be read.
        """
        with self._connection(CANNOT_READ, self._engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """A transaction that nobody else can write beside, so that time and chain go the same way.

        Raises:
            RecordsError: the database can't be written; nothing of the block was.
        """
        started = time.perf_counter()
        with self._in_turn(), self._connection(CANNOT_WRITE, self._for_writing) as connection:
            head = self.chain.hold(connection)
            at = self._clock()
            self._forget_expired(connection, at)
            pen = Pen(connection, self.chain, head, at)
            yield pen
            pen.seal()
        observe.recorded([entry.kind for entry in pen.entries], time.perf_counter() - started)

    def _forget_expired(self, connection: Connection, at: datetime) -> None:
        """Delete the texts whose time has passed, at most once a minute."""
        if self._tidied is None or abs(at - self._tidied) >= TIDY_EVERY:
            forget_expired(connection, at)
            self._tidied = at

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Write after this process's other threads.

        The database would have them wait, too, but SQLite looks only every few milliseconds whether it is free. Where
        it hangs they need not hang one after the other: who waited too long asks the database itself.
        """
        is_mine = self._turn.acquire(timeout=TURN)
        try:
            yield
        finally:
            if is_mine:
                self._turn.release()

    @contextmanager
    def _connection(self, sentence: str, engine: Engine) -> Iterator[Connection]:
        """A transaction; what the database says becomes `sentence`."""
        try:
            _ = self.chain
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, ValueError) as error:  # ValueError: what is kept is not what was written
            note_in_log(error)
            observe.records_failed("write" if sentence == CANNOT_WRITE else "read")
            raise RecordsError(sentence) from None


_ADD_ANSWERS = insert(answers).returning(answers.c.id, sort_by_parameter_order=True)
_ADD_DECISION = insert(decisions)
_ANSWER = select(answers.c.labels, answers.c.note_hash).where(answers.c.id == bindparam("wanted"))
