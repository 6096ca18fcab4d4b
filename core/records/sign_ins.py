"""Who is signed in, in the records' database: several servers share it, and it outlives a reload and a restart.

The database has a keyed hash of each session's id; the id itself is only in the person's cookie. Where the database
can't be reached, this process goes on with what it knew: nobody is thrown out in the middle of a note, and whoever does
not use the desk is signed out all the same.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Any, cast

from sqlalchemy import Row, delete, insert, select, update

from core.access.sessions import Ending, SignIn
from core.errors import RecordsError
from core.records.acts import Act
from core.records.database import DatabaseRecords, Pen, now
from core.records.tables import sign_ins

KEPT = timedelta(days=30)  # how long an ended sign-in can be looked up; the audit log keeps its own rows
MOST_KNOWN = 10_000  # sessions that a process remembers
LONGEST_PAUSE = timedelta(seconds=30)  # between two writes of when a person last used the desk
log = logging.getLogger(__name__)


class SignIns:
    """The sign-ins of one installation. Can be used by several threads, beside other processes."""

    def __init__(
        self,
        records: Callable[[], DatabaseRecords],
        key: bytes,
        idle: timedelta,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Opens nothing yet.

        Args:
            records: gives the records, or opens them.
            key: of the hashes, 32 bytes that all servers of the installation share.
            idle: a sign-in ends when it was not used for so long.
            clock: the time.
        """
        self._records, self._key, self._clock, self.idle = records, key, clock, idle
        self._pause = min(LONGEST_PAUSE, idle / 4)
        self._known: dict[str, SignIn] = {}
        self._written: dict[str, float] = {}
        self._lock = Lock()

    def begin(self, person: str, roles: Iterable[str], expires: datetime, *, instead_of: str | None = None) -> str:
        """Sign a person in; the id of the session, for the cookie alone.

        Args:
            person: the id.
            roles: for the audit log.
            expires: when the provider's token does.
            instead_of: the session that this browser had before, which ends.

        Raises:
            RecordsError: it can't be kept, so nobody is signed in.
        """
        id_, moment = secrets.token_urlsafe(32), self._clock()
        found = SignIn(person, moment, moment, expires)
        row = {"person": person, "begun": moment, "last_seen": moment, "expires": expires}
        with self._records().writing() as pen:
            if instead_of:
                _end(pen, [self._hash(instead_of)], "replaced", moment)
            self._tidy(pen, moment)
            pen.connection.execute(insert(sign_ins).values(session=self._hash(id_), **row))
            pen.note(Act.SIGN_IN, person, {"roles": sorted(roles)})
        self._remember(self._hash(id_), found)
        return id_

    def find(self, id_: str) -> SignIn | None:
        """A sign-in as it stands now, `ended` set where it is over by now; none: there never was one.

        What is found to be over is written down, once.
        """
        session, moment = self._hash(id_), self._clock()
        found = self._read(session)
        if found is None or found.ended:
            return found
        ending = found.ending(moment, self.idle)
        if ending is None:
            return found
        try:
            with self._records().writing() as pen:
                _end(pen, [session], ending, moment)
        except RecordsError:
            log.warning("sign-ins: an end is not written down yet")
        ended = replace(found, ended=ending)
        self._remember(session, ended)
        return ended

    def seen(self, id_: str) -> None:
        """The person has used the desk; written down at most every `LONGEST_PAUSE`."""
        session, moment = self._hash(id_), self._clock()
        found = self._known.get(session) or self._read(session)
        if found is None or found.ending(moment, self.idle):
            return
        self._remember(session, replace(found, last_seen=max(found.last_seen, moment)))
        if time.monotonic() - self._written.get(session, float("-inf")) < self._pause.total_seconds():
            return
        open_ = sign_ins.c.session == session, sign_ins.c.ended.is_(None), sign_ins.c.last_seen < moment
        try:
            with self._records().writing() as pen:
                pen.connection.execute(update(sign_ins).where(*open_).values(last_seen=moment))
        except RecordsError:
            log.warning("sign-ins: when a person last used the desk is not written down")
            return
        self._written[session] = time.monotonic()

    def end(self, id_: str, why: Ending) -> None:
        """End a sign-in, here and on every server.

        Raises:
            RecordsError: other servers can't be told; in this process it has ended.
        """
        session = self._hash(id_)
        if found := self._read(session):
            self._remember(session, replace(found, ended=found.ended or why))
            with self._records().writing() as pen:
                _end(pen, [session], why, self._clock())

    def end_all(self, person: str) -> int:
        """End every sign-in of a person, on all browsers; how many there were.

        Raises:
            RecordsError: it can't be written; none has ended.
        """
        theirs = sign_ins.c.person == person, sign_ins.c.ended.is_(None)
        with self._records().writing() as pen:
            sessions = pen.connection.execute(select(sign_ins.c.session).where(*theirs)).scalars().all()
            pen.connection.execute(
                update(sign_ins)
                .where(sign_ins.c.session.in_(sessions))
                .values(ended=self._clock(), ending="everywhere")
            )
            pen.note(Act.SIGN_OUT, person, {"everywhere": len(sessions)})
        return len(sessions)

    def _read(self, session: str) -> SignIn | None:
        """What the database says and this process knows; the latter alone where there is no database."""
        known = self._known.get(session)
        try:
            with self._records().reading() as connection:
                row = connection.execute(select(sign_ins).where(sign_ins.c.session == session)).one_or_none()
        except RecordsError:
            return known
        if row is None:
            return None
        found = _sign_in(row)
        if known:
            found = replace(found, last_seen=max(found.last_seen, known.last_seen), ended=found.ended or known.ended)
        self._remember(session, found)
        return found

    def _remember(self, session: str, found: SignIn) -> None:
        with self._lock:
            if session not in self._known and len(self._known) >= MOST_KNOWN:
                oldest = min(self._known, key=lambda each: self._known[each].last_seen)
                self._known.pop(oldest)
                self._written.pop(oldest, None)
            self._known[session] = found

    def _tidy(self, pen: Pen, moment: datetime) -> None:
        """Write down the ends that no browser was there to see, and forget what ended long ago."""
        unseen = sign_ins.c.ended.is_(None), sign_ins.c.last_seen < moment - self.idle - self._pause
        _end(pen, pen.connection.execute(select(sign_ins.c.session).where(*unseen)).scalars(), "idle", moment)
        pen.connection.execute(delete(sign_ins).where(sign_ins.c.ended < moment - KEPT))

    def _hash(self, id_: str) -> str:
        text = id_.encode("utf-8", "surrogatepass")
        return blake2b(text, key=self._key, digest_size=32, person=b"triage-signin").hexdigest()


def _end(pen: Pen, sessions: Iterable[str], why: Ending, moment: datetime) -> None:
    """End those that go on, each with its row of the audit log."""
    for session in list(sessions):
        open_ = sign_ins.c.session == session, sign_ins.c.ended.is_(None)
        person = pen.connection.execute(select(sign_ins.c.person).where(*open_)).scalar_one_or_none()
        if person is None:
            continue
        pen.connection.execute(update(sign_ins).where(*open_).values(ended=moment, ending=why))
        if why == "signed_out":
            pen.note(Act.SIGN_OUT, person, {"everywhere": 0})
        else:
            pen.note(Act.SESSION_ENDED, person, {"why": why})


def _sign_in(row: Row[Any]) -> SignIn:
    return SignIn(row.person, row.begun, row.last_seen, row.expires, cast("Ending | None", row.ending))
