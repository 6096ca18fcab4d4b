"""Answers and decisions as rows of the database, and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from core.notes import Assessment
from core.records.records import AnsweredNote, Decision, NewAnswer


def answer_row(given: NewAnswer, at: datetime) -> dict[str, Any]:
    """What the table of answers keeps of one."""
    assessment, model = given.assessment, given.assessment.model
    return {
        "at": at,
        "person": given.person,
        "note_hash": given.note_hash,
        "labels": _labels(assessment),
        "needs_review": assessment.needs_review,
        "red_flags": [hit.id for hit in assessment.red_flags],
        "language": assessment.language,
        "model": f"{model.bundle} {model.version} {model.embedding}",
    }


def answer_facts(assessment: Assessment) -> dict[str, Any]:
    """What the audit log says of an answer."""
    model = assessment.model
    return {
        "labels": _labels(assessment),
        "needs_review": assessment.needs_review,
        "reasons": assessment.reasons,
        "red_flags": [hit.id for hit in assessment.red_flags],
        "warnings": assessment.warnings,
        "language": assessment.language,
        "bundle": model.bundle,
        "version": model.version,
        "space": model.embedding,
    }


def _labels(assessment: Assessment) -> dict[str, str]:
    return {task: answer.label for task, answer in assessment.tasks.items()}


def decision_of(row: Row[Any]) -> Decision:
    """A row of decisions."""
    return Decision(row.task, row.given, row.decided, row.reason, row.person, row.at)


def answered_note(row: Row[Any], last: dict[str, Decision]) -> AnsweredNote:
    """A row of answers, with the last decisions about it."""
    return AnsweredNote(
        row.id,
        row.at,
        row.person,
        dict(row.labels),
        row.needs_review,
        tuple(row.red_flags),
        row.language,
        row.model,
        last,
    )
