"""Answers and decisions as rows of the database, and back."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row

from core.notes import Assessment
from core.records.records import AnsweredNote, Decision, NewAnswer

NO_DECISIONS: Mapping[str, Decision] = MappingProxyType({})


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


def answered_note(row: Row[Any], last: Mapping[str, Decision], alike: dict[object, Any]) -> AnsweredNote:
    """A row of answers.

    Args:
        row: of the table of answers.
        last: the last decisions about it, by task.
        alike: values of the rows before; equal ones are one, so that many notes take a fifth of the memory.
    """
    labels, flags = row.labels, tuple(row.red_flags)
    return AnsweredNote(
        row.id,
        row.at,
        alike.setdefault(row.person, row.person),
        alike.setdefault(("labels", *labels.items()), labels),
        row.needs_review,
        alike.setdefault(("flags", *flags), flags),
        alike.setdefault(row.language, row.language),
        alike.setdefault(row.model, row.model),
        last,
    )
