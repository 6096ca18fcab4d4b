"""Reads the whole audit log and says where it was changed, if it was. One row after another, so memory stays flat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, String, func, select, type_coerce
from sqlalchemy.exc import DBAPIError

from core.errors import RecordsError
from core.records.chain import FIRST, OTHER_KEY, Chain, Head, time_text
from core.records.tables import audit, audit_head

PAGE = 1000  # rows read at once
Fault = Literal["changed", "missing", "order", "head"]
# Times as they are kept: what is no time any more is read all the same.
_ROWS = select(*(type_coerce(each, String) if each.name == "at" else each for each in audit.c)).order_by(audit.c.id)
_HEAD = select(*(type_coerce(each, String) if each.name == "at" else each for each in audit_head.c))


@dataclass(frozen=True, slots=True)
class Breach:
    """Where the log is first not as it was written.

    Attributes:
        fault: `changed`: the row was changed, or put in by somebody else; `missing`: it was taken away; `order`: it
            stands where another row belongs, or after one that it was not written after; `head`: all rows are right,
            the record of their number and end beside them is not.
        id: the row's.
    """

    fault: Fault
    id: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole log found.

    Attributes:
        rows: rows that are right, from the first on.
        last_at: time of the last of them (UTC), in ISO form.
        breach: where it is not as it was written; none: it is whole.
        clock_back: rows with an earlier time than the row before, which a corrected clock explains.
        first_back: the first of them.
    """

    rows: int
    last_at: str | None
    breach: Breach | None
    clock_back: int = 0
    first_back: int | None = None


class UnreadableRow(Exception):
    """A row whose bytes are no text any more.

    Attributes:
        id: the row's.
    """

    def __init__(self, id_: int) -> None:
        super().__init__(f"row {id_}")
        self.id = id_


def verify(connection: Connection, chain: Chain) -> Verdict:
    """Look at every row and the head.

    Args:
        connection: a transaction that sees one state of the database.
        chain: knows the key.

    Raises:
        RecordsError: the log was written with another installation's secret.
    """
    head = _read_head(connection)
    rows, previous, last_at = 0, FIRST, None
    clock_back, first_back = 0, None
    breach: Breach | None = None
    try:
        for row in audit_rows(connection):
            breach = _breach_at(row, rows + 1, previous, chain, connection)
            if breach:
                break
            if last_at is not None and row["at"] < last_at:
                clock_back, first_back = clock_back + 1, first_back or int(row["id"])
            rows, previous, last_at = rows + 1, str(row["hash"]), str(row["at"])
    except UnreadableRow as error:
        breach = Breach("changed", error.id) if error.id == rows + 1 else Breach("missing", rows + 1)
    if not rows and head and head["key_id"] != chain.key_id:
        raise RecordsError(OTHER_KEY)
    return Verdict(rows, last_at, breach or _breach_of_head(head, rows, previous, chain), clock_back, first_back)


def audit_rows(connection: Connection, wanted: Select[Any] = _ROWS) -> Iterator[dict[str, Any]]:
    """Rows in their order, `at` as text, whatever somebody made of them.

    Args:
        connection: where to read.
        wanted: rows of the log by id, with all columns; all of them by default.

    Raises:
        UnreadableRow: at a row whose bytes are no text.
    """
    last: int | None = None
    size = PAGE
    while True:
        page = (wanted if last is None else wanted.where(audit.c.id > last)).limit(size)
        try:
            found = connection.execute(page).mappings().all()
        except DBAPIError:
            if connection.dialect.name != "sqlite":
                raise
            if size == 1:
                raise UnreadableRow(_next_id(connection, last)) from None
            size = 1  # up to the one that can't be read
            continue
        for row in found:
            yield {**row, "at": time_text(row["at"]) if isinstance(row["at"], datetime) else row["at"]}
        if len(found) < size:
            return
        last = found[-1]["id"]


def rows_between(since: datetime | None, until: datetime | None) -> Select[Any]:
    """The rows of a time span, for `audit_rows`."""
    wanted = _ROWS
    if since is not None:
        wanted = wanted.where(audit.c.at >= since)
    if until is not None:
        wanted = wanted.where(audit.c.at < until)
    return wanted


def _next_id(connection: Connection, last: int | None) -> int:
    wanted = select(audit.c.id).order_by(audit.c.id).limit(1)
    found = connection.execute(wanted if last is None else wanted.where(audit.c.id > last)).scalar_one()
    return int(found)


def _read_head(connection: Connection) -> dict[str, Any] | None:
    try:
        found = connection.execute(_HEAD).mappings().one_or_none()
    except DBAPIError:
        if connection.dialect.name != "sqlite":
            raise
        return None
    return dict(found) if found else None


def _breach_at(
    row: Mapping[str, Any], expected: int, previous: str, chain: Chain, connection: Connection
) -> Breach | None:
    """What is wrong with a row, if anything."""
    if row["id"] > expected:
        return Breach("missing", expected)
    if row["id"] < expected:
        return Breach("order", row["id"])
    if row["hash"] != chain.seal(row):
        return Breach("order" if _belongs_elsewhere(row, chain, connection) else "changed", expected)
    return None if row["previous"] == previous else Breach("order", expected)


def _belongs_elsewhere(row: Mapping[str, Any], chain: Chain, connection: Connection) -> bool:
    """Whether this is a row of the log as it was written, with another number: each one is tried."""
    count = connection.execute(select(func.count()).select_from(audit)).scalar_one()
    return any(chain.seal({**row, "id": home}) == row["hash"] for home in range(1, count + 2))


def _breach_of_head(head: Mapping[str, Any] | None, rows: int, previous: str, chain: Chain) -> Breach | None:
    """What is wrong with the head, where every row there is is right."""
    if head is None or head["key_id"] != chain.key_id:
        return Breach("head", rows)
    if head["mac"] != chain.seal_head(Head(head["rows"], head["last_id"], head["at"], head["last_hash"])):
        return Breach("head", rows)
    if head["last_id"] > rows:
        return Breach("missing", rows + 1)
    if (head["rows"], head["last_id"], head["last_hash"]) != (rows, rows, previous):
        return Breach("head", rows)
    return None
