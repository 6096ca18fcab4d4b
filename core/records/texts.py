"""Texts of overridden notes, kept only where a site switches that on: encrypted, and for so many days.

They are what a site learns most from (`triage records training`), and the only place where the desk keeps words of a
note. Each is bound to its answer, so that exchanged rows are noticed.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, delete, insert, select

from core.errors import RecordsError
from core.records.tables import kept_texts
from core.safety.identifiers import mask

SWITCHED_OFF = "Texts of notes are not kept here: TRIAGE_KEEP_TEXTS_DAYS is 0. Nothing was written."
NO_KEY = "Kept texts can be read with their key only: set TRIAGE_TEXTS_KEY to the one that they were kept with."
OTHER_KEY = "A kept text can't be read: TRIAGE_TEXTS_KEY is not the key that it was kept with, or it was changed."


class Texts:
    """Keeps texts, reads them, and forgets them.

    Args:
        days: how long a text is kept; 0: none is.
        key: Fernet's; none: nothing can be kept or read.
    """

    def __init__(self, days: int = 0, key: str | None = None) -> None:
        self._days = days
        self._cipher = Fernet(key) if key else None

    @property
    def are_kept(self) -> bool:
        """Whether the site has switched it on."""
        return self._days > 0 and self._cipher is not None

    def keep(self, connection: Connection, answer: int, text: str, at: datetime) -> None:
        """Keep the text of an answer's note from now on, its identifiers masked.

        Raises:
            RecordsError: the site keeps none.
        """
        if self._cipher is None or not self.are_kept:
            raise RecordsError(SWITCHED_OFF)
        token = self._cipher.encrypt(json.dumps({"answer": answer, "text": mask(text)}).encode()).decode()
        connection.execute(delete(kept_texts).where(kept_texts.c.answer == answer))
        expires = at + timedelta(days=self._days)
        connection.execute(insert(kept_texts).values(answer=answer, token=token, expires=expires))

    def read(self, connection: Connection, at: datetime) -> Iterator[tuple[int, str]]:
        """Each answer with its note's text, by answer; what has expired is left out.

        Raises:
            RecordsError: there is no key, or not the right one.
        """
        if self._cipher is None:
            raise RecordsError(NO_KEY)
        kept = select(kept_texts).where(kept_texts.c.expires > at).order_by(kept_texts.c.answer)
        for row in connection.execute(kept):
            try:
                found = json.loads(self._cipher.decrypt(row.token))
            except InvalidToken:
                raise RecordsError(OTHER_KEY) from None
            if found["answer"] != row.answer:
                raise RecordsError(OTHER_KEY)
            yield row.answer, found["text"]


_EXPIRED = delete(kept_texts)


def forget_expired(connection: Connection, at: datetime) -> None:
    """Delete the texts whose time has passed, also where none are kept any more."""
    connection.execute(_EXPIRED.where(kept_texts.c.expires <= at))
