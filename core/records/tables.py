"""The tables of the records, as the last step of `migrations` leaves them.

Only `kept_texts` holds words of notes, encrypted, and only where a site switches that on.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: `timestamp with time zone` where the database has it, ISO text of fixed length in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text for SQLite, which has no type for times."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | datetime | None:
        """What is sent: UTC, always with microseconds, so that text sorts as time does."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the records needs a time zone")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: str | datetime | None, dialect: Dialect) -> datetime | None:
        """What is read, in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


metadata = MetaData()

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("person", String(200), nullable=False),
    Column("note_hash", String(128), nullable=False, index=True),
    Column("labels", JSON, nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("red_flags", JSON, nullable=False),
    Column("language", String(16), nullable=False),
    Column("model", String(400), nullable=False),
    Index("ix_answers_at", "at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer", ForeignKey("answers.id"), nullable=False, index=True),
    Column("task", String(100), nullable=False),
    Column("given", String(200), nullable=False),
    Column("decided", String(200), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("person", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
)

_LONG = BigInteger().with_variant(Integer, "sqlite")

audit = Table(
    "audit",
    metadata,
    Column("id", _LONG, primary_key=True, autoincrement=False),  # 1, 2, 3, …: a gap is a row that was taken away
    Column("at", UtcTime, nullable=False),
    Column("person", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("note_hash", String(128)),
    Column("facts", Text, nullable=False),  # JSON as it was sealed, byte for byte
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("rows", _LONG, nullable=False),
    Column("last_id", _LONG, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("mac", String(64), nullable=False),
)

kept_texts = Table(
    "kept_texts",
    metadata,
    Column("answer", ForeignKey("answers.id"), primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
    Column("expires", UtcTime, nullable=False, index=True),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("session", String(64), primary_key=True),  # keyed hash of what the cookie holds
    Column("person", String(200), nullable=False, index=True),
    Column("begun", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False, index=True),
    Column("expires", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("ending", String(20)),
)
