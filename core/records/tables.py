"""The tables of the records. They have no column that could hold a note's text."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
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
