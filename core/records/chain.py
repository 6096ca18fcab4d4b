"""The audit log as a chain: each row's seal covers its own fields and the seal of the row before.

A seal is a keyed BLAKE2b hash, so whoever can write to the database but does not know the installation's secret makes
none. A head beside the rows, sealed too, says how many there are and how the last one is sealed: without it, the last
rows could be taken away unseen. Whoever holds both database and secret, or puts a whole old database back, is not found
out here; a signed export that was kept elsewhere tells (`core.records.audit_export`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from core.embedding.cache import kept_secret
from core.errors import RecordsError
from core.records.acts import Act
from core.records.tables import audit, audit_head

CANNOT_SEAL = (
    "The records need the installation's secret, which can't be kept in TRIAGE_DATA_DIR: make that folder writable, "
    "then try again."
)
OTHER_KEY = (
    "The audit log was begun with another secret than that of this installation, so nothing can be recorded: put its "
    "file cache-secret back into TRIAGE_DATA_DIR, or name another database."
)
BROKEN_HEAD = (
    "The head of the audit log is missing or was changed, so nothing can be recorded: look into it with "
    "triage audit verify, and restore the database."
)
LONGEST_FACT = 400  # characters of one text among the facts: room for every code and label, none for a note
FIRST = ""  # stands for the seal before the first row


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes: rows, the last one's id, its time (as text where it is only checked) and its seal."""

    rows: int
    last_id: int
    at: datetime | str
    last_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row of the audit log says: codes, numbers and labels, never a note's text."""

    kind: Act
    person: str
    facts: Mapping[str, Any]
    note_hash: str | None = None


class Chain:
    """Seals rows, and adds them at the end.

    Args:
        key: 32 bytes; see `audit_key`.
    """

    def __init__(self, key: bytes) -> None:
        self._row = blake2b(key=key, digest_size=32, person=b"audit-row")
        self._head = blake2b(key=key, digest_size=32, person=b"audit-head")
        self.key_id = blake2b(key=key, digest_size=8, person=b"audit-key").hexdigest()

    def seal(self, fields: Mapping[str, object]) -> str:
        """The hash of a row with these fields; `hash` itself is left out, times are text or datetimes with zone."""
        state = self._row.copy()
        state.update(_canonical({name: value for name, value in fields.items() if name != "hash"}))
        return state.hexdigest()

    def seal_head(self, head: Head) -> str:
        """The hash of a head."""
        state = self._head.copy()
        facts = {"rows": head.rows, "last_id": head.last_id, "at": head.at, "last_hash": head.last_hash}
        state.update(_canonical(facts))
        return state.hexdigest()

    def start(self, connection: Connection, at: datetime) -> None:
        """Give an empty log its head."""
        connection.execute(insert(audit_head).values(id=1, **self._head_row(Head(0, 0, at, FIRST))))

    def hold(self, connection: Connection) -> Head:
        """The head, which nobody else can move until the transaction ends.

        Raises:
            RecordsError: it is missing, was changed, or belongs to another installation.
        """
        row = connection.execute(_HEAD).one_or_none()
        if row is None:
            raise RecordsError(BROKEN_HEAD)
        if row.key_id != self.key_id:
            raise RecordsError(OTHER_KEY)
        head = Head(row.rows, row.last_id, row.at, row.last_hash)
        if row.mac != self.seal_head(head):
            raise RecordsError(BROKEN_HEAD)
        return head

    def add(self, connection: Connection, head: Head, entries: Sequence[Entry], *, at: datetime) -> Head:
        """Add rows after the head that this transaction holds; the head from then on.

        Raises:
            ValueError: the facts are not such as an audit log may keep.
        """
        if not entries:
            return head
        added: list[dict[str, Any]] = []
        last = head.last_hash
        for number, entry in enumerate(entries, head.last_id + 1):
            row: dict[str, Any] = {
                "id": number,
                "at": at,
                "person": entry.person,
                "kind": entry.kind.value,
                "note_hash": entry.note_hash,
                "facts": facts_text(entry.facts),
                "previous": last,
            }
            row["hash"] = last = self.seal(row)
            added.append(row)
        connection.execute(_ADD, added)
        moved = Head(head.rows + len(added), head.last_id + len(added), at, last)
        connection.execute(_MOVE, self._head_row(moved))
        return moved

    def _head_row(self, head: Head) -> dict[str, Any]:
        return {
            "rows": head.rows,
            "last_id": head.last_id,
            "at": head.at,
            "last_hash": head.last_hash,
            "key_id": self.key_id,
            "mac": self.seal_head(head),
        }


_HEAD = select(audit_head).with_for_update()
_ADD = insert(audit)
_MOVE = update(audit_head)


def audit_key(data_dir: Path) -> bytes:
    """The key of the seals, derived from the installation's secret.

    Raises:
        RecordsError: the secret can't be kept, so nobody could check a seal later.
    """
    secret = kept_secret(data_dir)
    if secret is None:
        raise RecordsError(CANNOT_SEAL)
    return blake2b(key=secret, digest_size=32, person=b"triage-audit").digest()


def facts_text(facts: Mapping[str, Any]) -> str:
    """Facts as they are kept: canonical JSON.

    Raises:
        ValueError: a value is no JSON type, or a text is longer than a code or label can be.
    """
    _check(dict(facts))
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def time_text(at: datetime) -> str:
    """A moment as seals and exports have it: UTC with microseconds.

    Raises:
        ValueError: it has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time in the records needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _check(value: object) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _check(name)
            _check(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    elif isinstance(value, str):
        if len(value) > LONGEST_FACT:
            raise ValueError("a text among an audit row's facts is too long to be a code or a label")
    elif not (value is None or isinstance(value, bool | int | float)):
        raise ValueError("a fact of an audit row is of no type that JSON has")


def _canonical(fields: Mapping[str, object]) -> bytes:
    # Whatever a changed row holds (bytes, numbers) has its text here, too, and it is another one.
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), default=_as_text).encode()


def _as_text(value: object) -> str:
    return time_text(value) if isinstance(value, datetime) else repr(value)
