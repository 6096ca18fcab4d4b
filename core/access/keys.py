"""Keys of programs that ask the desk: 256 random bits each, shown once and kept as a hash.

::

    <data_dir>/access.sqlite       mode 0600; table `keys`

A key reads `triage_<id>_<secret>`. A revoked key's row stays, so that the list tells of it, and so that a desk that has
had a key never again answers without one. The hash needs no salt and no slowness: nobody guesses 256 random bits.
"""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, MetaData, Row, String, Table, create_engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.access.principal import SCOPES, Principal
from core.errors import AccessError
from core.records.tables import UtcTime

DAYS = 90  # for which a key is good, unless somebody says otherwise
LONGEST = 3650  # days
BUSY_TIMEOUT = 5  # seconds to wait for another writer
RESERVED = ("local",)  # who asks without a key
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN = re.compile(r"triage_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = "0" * 64  # compared with where there is no such key, so that an unknown id takes as long as a wrong secret
log = logging.getLogger(__name__)

metadata = MetaData()
_keys = Table(
    "keys",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime, nullable=False),
    Column("last_used", String(10)),
    Column("revoked", UtcTime),
)


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What is known of a key; its secret is not.

    Attributes:
        id: 12 hexadecimal digits, part of the key itself.
        name: who it was made for; stands in the records beside each answer.
        scopes: what it may ask for.
        created: when it was made.
        expires: when it ends.
        last_used: the last day on which it was used (UTC), if it ever was.
        revoked: when it was taken back, if it was.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    last_used: date | None
    revoked: datetime | None

    def state(self, moment: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "valid" if moment < self.expires else "expired"


class KeyStore:
    """The keys of one desk. Can be used by several threads, beside other processes."""

    def __init__(self, data_dir: Path, clock: Callable[[], datetime] = now) -> None:
        """Opens nothing yet; the file is made with the first key.

        Args:
            data_dir: the desk's data folder.
            clock: the time.
        """
        self._path, self._clock = data_dir / "access.sqlite", clock
        self._engine = create_engine(
            f"sqlite:///{self._path}", hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT}
        )

    @property
    def is_empty(self) -> bool:
        """Whether no key was ever made.

        Raises:
            AccessError: the file can't be read.
        """
        if not self._path.exists():
            return True
        with self._connection() as connection:
            return connection.execute(select(_keys.c.id).limit(1)).first() is None

    def create(self, name: str, scopes: Sequence[str], days: int = DAYS) -> tuple[str, AccessKey]:
        """Make a key; the key itself, which nobody can tell again, and what is known of it.

        Raises:
            AccessError: the name is no name or taken, a scope is unknown, or the file can't be written.
        """
        self._check(name, scopes, days)
        id_, secret, moment = secrets.token_hex(6), secrets.token_urlsafe(32), self._clock()
        token = f"triage_{id_}_{secret}"
        row = {
            "id": id_,
            "name": name,
            "hash": _hash(token),
            "scopes": sorted(set(scopes)),
            "created": moment,
            "expires": moment + timedelta(days=days),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600, exist_ok=True)
        except OSError:
            raise AccessError("The key can't be kept: the data folder can't be written. No key was made.") from None
        with self._connection() as connection:
            metadata.create_all(connection)
            if any(key.name == name and key.revoked is None for key in map(_key, connection.execute(select(_keys)))):
                raise AccessError(f"There is a key {name} already. Revoke it first, or choose another name.")
            connection.execute(insert(_keys).values(row))
        return token, AccessKey(id_, name, tuple(row["scopes"]), moment, row["expires"], None, None)  # type: ignore[arg-type]

    def all(self) -> list[AccessKey]:
        """Every key, the newest first; revoked ones too.

        Raises:
            AccessError: the file can't be read.
        """
        if not self._path.exists():
            return []
        with self._connection() as connection:
            return [_key(row) for row in connection.execute(select(_keys).order_by(_keys.c.created.desc()))]

    def revoke(self, id_: str) -> AccessKey:
        """Take a key back, at once and for good; what is known of it.

        Raises:
            AccessError: there is no such key, or the file can't be written.
        """
        known = {key.id: key for key in self.all()}
        if id_ not in known:
            raise AccessError(f"There is no key {id_!r}. See: triage keys list")
        with self._connection() as connection:
            waiting = _keys.c.id == id_, _keys.c.revoked.is_(None)
            connection.execute(update(_keys).where(*waiting).values(revoked=self._clock()))
        return known[id_]

    def principal_of(self, token: str) -> Principal | None:
        """Whom a key stands for; none where it is wrong, expired or revoked. Notes the day of its use.

        Raises:
            AccessError: the file can't be read, so nobody is let in.
        """
        parts = _TOKEN.fullmatch(token)
        if parts is None or not self._path.exists():
            return None
        with self._connection() as connection:
            row = connection.execute(select(_keys).where(_keys.c.id == parts[1])).first()
        is_right = hmac.compare_digest(_hash(token), row.hash if row else _NOBODY)
        if row is None or not is_right or _key(row).state(self._clock()) != "valid":
            return None
        self._note_use(row)
        return Principal(row.name, scopes=frozenset(row.scopes))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _note_use(self, row: Row[Any]) -> None:
        """Write the day once a day; a key works where that can't be written."""
        today = self._clock().date().isoformat()
        if row.last_used == today:
            return
        try:
            with self._connection() as connection:
                connection.execute(update(_keys).where(_keys.c.id == row.id).values(last_used=today))
        except AccessError:
            log.warning("access: the day of a key's use was not kept")

    @staticmethod
    def _check(name: str, scopes: Sequence[str], days: int) -> None:
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise AccessError(
                f"{name!r} is no name for a key: letters, digits, '.', '_' and '-', at most 64, and not "
                f"{' or '.join(RESERVED)}."
            )
        if not scopes or not set(scopes) <= set(SCOPES):
            raise AccessError(f"A key needs one or more of these scopes: {', '.join(SCOPES)}.")
        if not 1 <= days <= LONGEST:
            raise AccessError(f"A key is good for 1 to {LONGEST} days.")

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A transaction; what the database says becomes one sentence, its kind goes to the log."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, ValueError) as error:
            log.warning("access: %s", type(error).__name__)
            raise AccessError("The keys can't be read or written now, so no key is accepted.") from None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(row: Row[Any]) -> AccessKey:
    used = date.fromisoformat(row.last_used) if row.last_used else None
    return AccessKey(row.id, row.name, tuple(row.scopes), row.created, row.expires, used, row.revoked)
