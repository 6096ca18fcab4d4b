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
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
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
UNREADABLE = "The keys can't be read or written now, so no key is accepted."
_HEAD = 100  # bytes of a SQLite file's header
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
        self._lock = threading.Lock()
        self._head = b""
        self._read: Mapping[str, tuple[AccessKey, str]] = {}
        self._engine = create_engine(
            f"sqlite:///{self._path}", hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT}
        )

    @property
    def is_empty(self) -> bool:
        """Whether no key was ever made.

        Raises:
            AccessError: the file can't be read.
        """
        return not self._known()

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
        return sorted((key for key, _ in self._known().values()), key=lambda key: key.created, reverse=True)

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
        key, hash_ = self._known().get(parts[1] if parts else "", (None, _NOBODY))
        is_right = hmac.compare_digest(_hash(token), hash_)
        if key is None or not is_right or key.state(self._clock()) != "valid":
            return None
        self._note_use(key)
        return Principal(key.name, scopes=frozenset(key.scopes))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _known(self) -> Mapping[str, tuple[AccessKey, str]]:
        """Every key and its hash, by id; read again when anybody has written the file.

        SQLite counts its transactions in the first 100 bytes of a file, which are read each time, so that a key that
        was revoked a moment ago, by another process, is refused.
        """
        try:
            with self._path.open("rb") as file:
                head = file.read(_HEAD)
        except FileNotFoundError:
            return {}
        except OSError:
            raise AccessError(UNREADABLE) from None
        with self._lock:
            if head != self._head:
                with self._connection() as connection:
                    rows = connection.execute(select(_keys)).all() if head else []
                self._read = {row.id: (_key(row), row.hash) for row in rows}
                self._head = head
            return self._read

    def _note_use(self, key: AccessKey) -> None:
        """Write the day once a day; a key works where that can't be written."""
        today = self._clock().date()
        if key.last_used == today:
            return
        try:
            with self._connection() as connection:
                connection.execute(update(_keys).where(_keys.c.id == key.id).values(last_used=today.isoformat()))
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
            raise AccessError(UNREADABLE) from None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(row: Row[Any]) -> AccessKey:
    used = date.fromisoformat(row.last_used) if row.last_used else None
    return AccessKey(row.id, row.name, tuple(row.scopes), row.created, row.expires, used, row.revoked)
