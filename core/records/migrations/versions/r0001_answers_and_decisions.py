"""Answers and decisions, as the first versions of the desk made them without steps: what is there already stays."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make what is missing."""
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("note_hash", sa.String(128), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("needs_review", sa.Boolean, nullable=False),
        sa.Column("red_flags", sa.JSON, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("model", sa.String(400), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_answers_at", "answers", ["at"], if_not_exists=True)
    op.create_index("ix_answers_note_hash", "answers", ["note_hash"], if_not_exists=True)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("answer", sa.Integer, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("task", sa.String(100), nullable=False),
        sa.Column("given", sa.String(200), nullable=False),
        sa.Column("decided", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_decisions_answer", "decisions", ["answer"], if_not_exists=True)
