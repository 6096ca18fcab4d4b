"""What a department lead reads from the records: volumes, urgency, corrections, agreement.

Pure functions from answers to small tables. Where a person decided, that label counts, else the desk's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

import pandas as pd

from core.records.records import AnsweredNote, Decision

Span = Literal["today", "week", "month", "all"]
Step = Literal["hour", "day", "hour_of_day"]
SPANS: tuple[Span, ...] = ("today", "week", "month", "all")
DAYS_BACK: dict[Span, int] = {"today": 0, "week": 6, "month": 29}
MOST = 200_000  # notes that a page reads: it holds them all, and the server's other pages wait for the processor
TOP = 6  # departments shown by name
REST = ""  # stands for all other departments; no label is empty
NO_LABEL = "?"  # the bundle in use then had no such task
LEVELS = ("1", "2", "3", "4", "5")
FREQUENCY = {"hour": "h", "day": "D"}


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over a time span.

    Attributes:
        notes: notes answered.
        to_person: notes for which the desk asked for a person.
        decided: answers (one a task) about which a person decided.
        accepted: those of them that stood.
    """

    notes: int
    to_person: int
    decided: int
    accepted: int

    @property
    def overrides(self) -> int:
        """Answers that a person changed."""
        return self.decided - self.accepted

    @property
    def to_person_share(self) -> float | None:
        """Share of notes sent to a person, 0 to 1; none without notes."""
        return self.to_person / self.notes if self.notes else None

    @property
    def agreement(self) -> float | None:
        """Share of decided answers that stood, 0 to 1; none where nobody decided."""
        return self.accepted / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the desk's answers to the notes of one hour or day stood.

    Attributes:
        moment: the start of the hour or day, in the reader's time, without zone.
        decided: answers about which a person decided.
        accepted: those of them that stood.
    """

    moment: datetime
    decided: int
    accepted: int

    @property
    def share(self) -> float | None:
        """Accepted of decided, 0 to 1; none where nobody decided."""
        return self.accepted / self.decided if self.decided else None


def start_of(span: Span, now: datetime, zone: tzinfo) -> datetime | None:
    """When a span begins: a midnight of the reader; none for all of the time.

    Args:
        span: which; a week and a month count today as their last day.
        now: this moment.
        zone: the reader's.
    """
    if span not in DAYS_BACK:
        return None
    today = now.astimezone(zone).date()
    return datetime.combine(today - timedelta(days=DAYS_BACK[span]), time.min, zone)


def totals(notes: Sequence[AnsweredNote]) -> Totals:
    """Notes, how many went to a person, and what people decided."""
    decided = [decision.accepted for note in notes for decision in note.decisions.values()]
    return Totals(len(notes), sum(note.needs_review for note in notes), len(decided), sum(decided))


def tasks_of(notes: Iterable[AnsweredNote]) -> list[str]:
    """Every task that was answered, acuity and department first."""
    found = {task for note in notes for task in note.labels}
    first = [task for task in ("acuity", "department", "condition") if task in found]
    return first + sorted(found.difference(first))


def volume(
    notes: Sequence[AnsweredNote], zone: tzinfo, step: Step, *, since: datetime | None, until: datetime
) -> pd.DataFrame:
    """Notes by time and department: one row a step, one column a department.

    The largest `TOP` departments have a column each, largest first; all others are in the column `REST`, if there are
    any. Rows are moments in the reader's time without zone, or the hours 0 to 23; none is left out.

    Args:
        notes: answers of the span.
        zone: the reader's.
        step: what one row is.
        since: the span's start; none: the first note.
        until: the span's end.
    """
    departments = [note.label("department") or NO_LABEL for note in notes]
    largest = [label for label, _ in Counter(departments).most_common(TOP)]
    named = [label if label in largest else REST for label in departments]
    columns = [*largest, REST] if REST in named else largest
    counted = pd.crosstab(pd.Index(_steps_of(notes, zone, step), name="time"), pd.Index(named, name="department"))
    return counted.reindex(index=_all_steps(notes, zone, step, since, until), columns=columns, fill_value=0)


def acuity_mix(notes: Sequence[AnsweredNote]) -> pd.DataFrame:
    """Notes by acuity level, as the desk gave it (`given`) and after people's decisions (`counted`).

    Index: the levels 1 to 5 as strings, and any other level that was given, most urgent first.
    """
    given = Counter(note.labels["acuity"] for note in notes if "acuity" in note.labels)
    counted = Counter(label for note in notes if (label := note.label("acuity")) is not None)
    levels = [*LEVELS, *sorted((set(given) | set(counted)).difference(LEVELS))]
    rows = {"given": [given[level] for level in levels], "counted": [counted[level] for level in levels]}
    return pd.DataFrame(rows, index=pd.Index(levels, name="acuity"))


def override_pairs(notes: Iterable[AnsweredNote], task: str) -> pd.DataFrame:
    """How often which label was changed to which: columns `given`, `decided`, `notes`, `reason`; most frequent first.

    `reason` is the one given most often for this pair.
    """
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for decision in _decisions(notes, task):
        if not decision.accepted:
            reasons.setdefault((decision.given, decision.decided), Counter())[decision.reason] += 1
    rows = [(*pair, found.total(), found.most_common(1)[0][0]) for pair, found in reasons.items()]
    rows.sort(key=lambda row: (-row[2], row[0], row[1]))
    return pd.DataFrame(rows, columns=["given", "decided", "notes", "reason"])


def override_directions(notes: Iterable[AnsweredNote]) -> tuple[int, int]:
    """Notes that a person made more urgent, and less urgent, than the desk had."""
    pairs = [(d.decided, d.given) for d in _decisions(notes, "acuity") if d.decided.isdecimal() and d.given.isdecimal()]
    changes = [int(decided) - int(given) for decided, given in pairs]
    return sum(change < 0 for change in changes), sum(change > 0 for change in changes)


def agreement(
    notes: Sequence[AnsweredNote],
    zone: tzinfo,
    step: Literal["hour", "day"],
    *,
    since: datetime | None,
    until: datetime,
    task: str | None = None,
) -> list[Agreement]:
    """How often answers stood, for each hour or day of the span, by when the note was answered.

    Args:
        notes: answers of the span.
        zone: the reader's.
        step: what one row is.
        since: the span's start; none: the first note.
        until: the span's end.
        task: count this task alone; none: all.
    """
    decided: Counter[object] = Counter()
    accepted: Counter[object] = Counter()
    for moment, note in zip(_steps_of(notes, zone, step), notes, strict=True):
        for decision in note.decisions.values():
            if task in (None, decision.task):
                decided[moment] += 1
                accepted[moment] += decision.accepted
    moments = _all_steps(notes, zone, step, since, until)
    return [Agreement(moment.to_pydatetime(), decided[moment], accepted[moment]) for moment in moments]


def _decisions(notes: Iterable[AnsweredNote], task: str) -> list[Decision]:
    return [note.decisions[task] for note in notes if task in note.decisions]


def _local(moments: Iterable[datetime], zone: tzinfo) -> pd.DatetimeIndex:
    """Moments as the reader's clock shows them, without zone: an hour that comes twice in autumn is one."""
    return pd.to_datetime(list(moments), utc=True).tz_convert(zone).tz_localize(None)


def _steps_of(notes: Sequence[AnsweredNote], zone: tzinfo, step: Step) -> pd.Index:
    local = _local((note.at for note in notes), zone)
    return local.hour if step == "hour_of_day" else local.floor(FREQUENCY[step])


def _all_steps(
    notes: Sequence[AnsweredNote], zone: tzinfo, step: Step, since: datetime | None, until: datetime
) -> pd.Index:
    if step == "hour_of_day":
        return pd.RangeIndex(24, name="time")
    begin = since or (min(note.at for note in notes) if notes else until)
    ends = _local((begin, max(until, *(note.at for note in notes), begin)), zone).floor(FREQUENCY[step])
    return pd.date_range(ends[0], ends[1], freq=FREQUENCY[step], name="time")
