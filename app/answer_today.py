"""Today's notes of one person as a table: most urgent first, then who has waited longest. No texts: none are kept."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from app.text import Voice
from core.records.records import AnsweredNote
from core.wording import FIRST

LAST = "9"  # sorts behind every level


def zone_called(name: str | None) -> tzinfo:
    """The time zone that a browser names; UTC where it is not known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def start_of_day(now: datetime, zone: tzinfo) -> datetime:
    """The last midnight in a zone, in UTC."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def waiting_list(notes: Iterable[AnsweredNote], now: datetime, zone: tzinfo, say: Voice) -> pd.DataFrame:
    """One row a note, columns named in the reader's words: labels that count, minutes since triage, time, decision."""
    ordered = sorted(notes, key=lambda note: (note.label("acuity") or LAST, note.at))
    return pd.DataFrame([_row(note, now, zone, say) for note in ordered])


def _row(note: AnsweredNote, now: datetime, zone: tzinfo, say: Voice) -> dict[str, str | int]:
    labels = {task: note.label(task) for task in FIRST}
    names = {say.wording.task(task): say.wording.label(task, label) if label else "" for task, label in labels.items()}
    return {
        **names,
        say("Waiting (min)"): int((now - note.at).total_seconds() // 60),
        say("Triaged at"): note.at.astimezone(zone).strftime("%H:%M"),
        say("Decision"): _decision(note, say),
    }


def _decision(note: AnsweredNote, say: Voice) -> str:
    if not note.labels.keys() <= note.decisions.keys():
        return say("Open: a person must decide") if note.needs_review else say("Open")
    return say("Accepted") if all(decision.accepted for decision in note.decisions.values()) else say("Changed")
