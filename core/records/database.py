"""Records in a database: SQLite by default, PostgreSQL by URL.

Messages of errors are whole sentences without places or values: they can be shown and translated as they are. The kind
of the error goes to the log.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Engine, Row, create_engine, event, insert, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from core.errors import RecordsError
from core.notes import Assessment
from core.records.reasons import REASONS
from core.records.records import AnsweredNote, Decision, Records
from core.records.tables import answers, decisions, metadata
from core.settings import Settings

BAD_URL = (
    "TRIAGE_DATABASE_URL names no database that can be used: expected sqlite:///PATH or "
    "postgresql+psycopg://USER:PASSWORD@HOST/NAME, with its driver installed."
)
CANNOT_OPEN = "The records' database can't be opened. Nothing was lost; try again, or tell who runs this desk."
CANNOT_READ = "The records can't be read now. Nothing was lost; try again in a moment."
CANNOT_WRITE = "This was not recorded: the records can't be written now. Try again in a moment."
NO_SUCH_ANSWER = "This answer is not in the records, so no decision about it can be kept."
BUSY_TIMEOUT = 10  # seconds to wait for another writer
ATTEMPTS = 5  # at making the tables, when several processes start at once
log = logging.getLogger(__name__)


def open_records(settings: Settings) -> Records:
    """The records that the settings name; connects, and makes the tables, at first use.

    Raises:
        RecordsError: the URL can't be used.
    """
    return DatabaseRecords(_engine(settings.effective_database_url))


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


class DatabaseRecords:
    """Answers and decisions in two tables. Can be used by several threads, beside other processes."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now) -> None:
        """Binds the records to a database.

        Args:
            engine: how to reach it.
            clock: the time to record.
        """
        self._engine = engine
        self._clock = clock
        self._lock = Lock()
        self._is_ready = False

    def add(self, assessment: Assessment, *, person: str, note_hash: str) -> int:
        """Record an answer; its id.

        Raises:
            RecordsError: it was not recorded.
        """
        model = assessment.model
        row = {
            "at": self._clock(),
            "person": person,
            "note_hash": note_hash,
            "labels": {task: answer.label for task, answer in assessment.tasks.items()},
            "needs_review": assessment.needs_review,
            "red_flags": [hit.id for hit in assessment.red_flags],
            "language": assessment.language,
            "model": f"{model.bundle} {model.version} {model.embedding}",
        }
        with self._connection(CANNOT_WRITE) as connection:
            found = connection.execute(insert(answers).values(row)).inserted_primary_key
        return int(found[0]) if found else 0

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
        # Read and written apart: a transaction that begins by reading could not wait for another SQLite writer.
        with self._connection(CANNOT_READ) as connection:
            labels = connection.execute(select(answers.c.labels).where(answers.c.id == answer)).scalar_one_or_none()
        if labels is None:
            raise RecordsError(NO_SUCH_ANSWER)
        if task not in labels:
            raise ValueError("the answer has no such task")
        given = str(labels[task])
        if label != given and reason not in REASONS:
            raise ValueError(f"an override needs one of these reasons: {', '.join(REASONS)}")
        decision = Decision(task, given, label, "" if label == given else reason, person, self._clock())
        with self._connection(CANNOT_WRITE) as connection:
            connection.execute(
                insert(decisions).values(
                    answer=answer,
                    task=task,
                    given=given,
                    decided=label,
                    reason=decision.reason,
                    person=person,
                    at=decision.at,
                )
            )
        return decision

    def answers(
        self, *, since: datetime | None = None, until: datetime | None = None, person: str | None = None
    ) -> list[AnsweredNote]:
        """Answers given from `since` until before `until`, oldest first, each with its last decisions.

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
        their_decisions = select(decisions).join(answers).where(*wanted).order_by(decisions.c.id)
        with self._connection(CANNOT_READ) as connection:
            found = connection.execute(select(answers).where(*wanted).order_by(answers.c.at, answers.c.id)).all()
            decided = connection.execute(their_decisions).all()
        last: dict[int, dict[str, Decision]] = {}
        for row in decided:
            last.setdefault(row.answer, {})[row.task] = _decision(row)
        return [_answered(row, last.get(row.id, {})) for row in found]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _connection(self, sentence: str) -> Iterator[Connection]:
        """A transaction; what the database says becomes `sentence`."""
        try:
            self._make_tables()
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, ValueError) as error:  # ValueError: what is kept is not what was written
            _note_in_log(error)
            raise RecordsError(sentence) from None

    def _make_tables(self) -> None:
        with self._lock:
            if self._is_ready:
                return
            _make_place(self._engine.url)
            for attempt in range(ATTEMPTS):
                try:
                    metadata.create_all(self._engine)
                    break
                except DBAPIError:  # another process made them between our look and our try
                    if attempt + 1 == ATTEMPTS:
                        raise
                    time.sleep(0.1 * 2**attempt)
            self._is_ready = True


def _engine(url: str) -> Engine:
    try:
        where = make_url(url)
        if where.get_backend_name() != "sqlite":
            return create_engine(where, hide_parameters=True, pool_pre_ping=True)
        if not where.database or where.database == ":memory:":
            raise RecordsError(BAD_URL)  # it would be another database in each thread
        engine = create_engine(where, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    except (ArgumentError, ImportError) as error:
        _note_in_log(error)
        raise RecordsError(BAD_URL) from None
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: DBAPIConnection, _: object) -> None:
    """Readers beside one writer, and no decision about an answer that is not there."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _make_place(url: URL) -> None:
    """The folder and the file of a SQLite database, readable by their owner alone."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        _note_in_log(error)
        raise RecordsError(CANNOT_OPEN) from None


def _decision(row: Row[Any]) -> Decision:
    return Decision(row.task, row.given, row.decided, row.reason, row.person, row.at)


def _answered(row: Row[Any], last: dict[str, Decision]) -> AnsweredNote:
    return AnsweredNote(
        row.id,
        row.at,
        row.person,
        dict(row.labels),
        row.needs_review,
        tuple(row.red_flags),
        row.language,
        row.model,
        last,
    )


def _note_in_log(error: Exception) -> None:
    """The kind of an error alone: its words can hold values and addresses."""
    kind = type(error.orig) if isinstance(error, DBAPIError) and error.orig else type(error)
    log.warning("records: %s", kind.__name__)
