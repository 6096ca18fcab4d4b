"""The way to the records' database: SQLite by default, PostgreSQL by URL."""

import logging
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError

from core.errors import RecordsError

BAD_URL = (
    "TRIAGE_DATABASE_URL names no database that can be used: expected sqlite:///PATH or "
    "postgresql+psycopg://USER:PASSWORD@HOST/NAME, with its driver installed."
)
CANNOT_OPEN = "The records' database can't be opened. Nothing was lost; try again, or tell who runs this desk."
BUSY_TIMEOUT = 10.0  # seconds to wait for another writer
# A server that does not answer must not hold up a page: seconds to connect, and, where the network has gone in the
# middle, about 20 until that is noticed (libpq's own settings).
PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
# A record that was acknowledged outlives a power cut: FULL waits for the disk at each commit. NORMAL would not, and be
# faster (`python -m tests.bench records` measures both); a power cut would then take the last seconds of acknowledged
# answers, decisions and audit rows together, and leave a database that is whole and says nothing of them.
SYNCHRONOUS = "FULL"
log = logging.getLogger(__name__)


def open_engine(url: str, *, synchronous: str = SYNCHRONOUS) -> Engine:
    """How to reach the database; nothing is opened yet.

    Args:
        url: SQLAlchemy's.
        synchronous: of SQLite: `FULL` or `NORMAL`.

    Raises:
        RecordsError: the URL can't be used.
    """
    try:
        where = make_url(url)
        if where.get_backend_name() != "sqlite":
            patience = PATIENCE if where.get_driver_name() == "psycopg" else {}
            engine = create_engine(where, hide_parameters=True, pool_pre_ping=True, connect_args=dict(patience))
            if where.get_backend_name() == "postgresql":
                event.listen(engine, "begin", _limit_wait)
            return engine
        if not where.database or where.database == ":memory:":
            raise RecordsError(BAD_URL)  # it would be another database in each thread
        engine = create_engine(where, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    except (ArgumentError, ImportError) as error:
        note_in_log(error)
        raise RecordsError(BAD_URL) from None

    def set_up(connection: DBAPIConnection, _: object) -> None:
        # None: the driver begins no transaction by itself, `_begin` does.
        connection.isolation_level = None
        cursor = connection.cursor()
        # WAL: readers beside one writer. Deleted texts are overwritten. No decision about an answer that is not there.
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", _begin)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same database, for transactions that write.

    In SQLite they hold the database from their beginning: one that read first could not wait for another writer.
    """
    return engine.execution_options(writes=True)


def for_one_view(engine: Engine) -> Engine:
    """The same database, for transactions that see all along what was there at their beginning."""
    if engine.dialect.name == "sqlite":
        return engine  # every transaction of WAL mode is so
    return engine.execution_options(isolation_level="REPEATABLE READ")


def make_place(url: URL) -> None:
    """The folder and the file of a SQLite database, readable by their owner alone.

    Raises:
        RecordsError: they can't be made.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        note_in_log(error)
        raise RecordsError(CANNOT_OPEN) from None


def note_in_log(error: Exception) -> None:
    """The kind of an error alone: its words can hold values and addresses."""
    kind = type(error.orig) if isinstance(error, DBAPIError) and error.orig else type(error)
    log.warning("records: %s", kind.__name__)


def _limit_wait(connection: Connection) -> None:
    """A writer waits for another as long as in SQLite, for instance for one that was frozen in the middle."""
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round(1000 * BUSY_TIMEOUT)}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
