"""Brings a database to the tables that this code knows, step by step (`core/records/migrations`), and never back.

A database of before there were steps is taken over with all its rows. Nothing is guessed at run time: each step is a
file that was written and tested.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.errors import RecordsError
from core.records.acts import Act
from core.records.chain import Chain, Entry
from core.records.engine import CANNOT_OPEN, for_writing
from core.records.tables import answers, audit_head, decisions

NEWEST = "0003"  # the last step of `migrations/versions`
STEPS = Path(__file__).with_name("migrations")
NEWER = (
    "The records' database was made by a newer version of this desk, and nothing in it was changed: install that "
    "version or a newer one, or name another database with TRIAGE_DATABASE_URL."
)
ATTEMPTS = 6  # several processes that start at once on a new file can be told that it is locked without waiting
THE_DESK = "desk"  # who did what nobody asked for
_LOCK = 7_317_620_901  # PostgreSQL's advisory lock of whoever changes tables; any number that nobody else uses
log = logging.getLogger(__name__)


def bring_up_to_date(engine: Engine, chain: Chain, clock: Callable[[], datetime]) -> None:
    """Make the tables, or what is missing of them; processes that start at once wait for each other.

    Raises:
        RecordsError: the database is of a newer version.
        SQLAlchemyError: it can't be used now.
    """
    for attempt in range(ATTEMPTS):
        try:
            _bring_up_to_date(engine, chain, clock)
            return
        except OperationalError as error:
            if attempt + 1 == ATTEMPTS or getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.1 * 2**attempt)


def _bring_up_to_date(engine: Engine, chain: Chain, clock: Callable[[], datetime]) -> None:
    with engine.begin() as connection:
        if step_of(connection) == NEWEST:
            return
    with for_writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # a step, or another process's, can take long
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        before = step_of(connection)
        if before == NEWEST:
            return  # another process was first
        has_log = inspect(connection).has_table(audit_head.name)
        _go(connection, before)
        if not has_log:
            _start_log(connection, chain, clock())


def step_of(connection: Connection) -> str | None:
    """The last step that a database has taken; none: it is empty, or of before there were steps."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except ProgrammingError:  # another program's table
        raise RecordsError(CANNOT_OPEN) from None


def _go(connection: Connection, before: str | None) -> None:
    from alembic import command  # a quarter of a second, and only a change of tables needs it
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise RecordsError(NEWER)
    log.info("records: from step %s to %s", before, NEWEST)
    command.upgrade(config, NEWEST)


def _start_log(connection: Connection, chain: Chain, at: datetime) -> None:
    chain.start(connection, at)
    older = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (answers, decisions)
    }
    if any(older.values()):
        chain.add(connection, chain.hold(connection), [Entry(Act.TAKEN_OVER, THE_DESK, older)], at=at)
