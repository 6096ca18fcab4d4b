"""An answer made by hand, and records in memory whose database can be made to fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.errors import RecordsError
from core.notes import Assessment, ModelIdentity, RankedLabel, RedFlagHit, TaskAnswer
from core.records.acts import Act
from core.records.records import AnsweredNote, Decision, NewAnswer

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def task(name: str, label: str, **shares: float) -> TaskAnswer:
    """An answer to one task; the likeliest label first."""
    ranked = sorted(
        (RankedLabel(one.lstrip("_"), share) for one, share in shares.items()), key=lambda r: -r.probability
    )
    return TaskAnswer(name, label, tuple(ranked), (label,))


def assessment(*, flags: tuple[RedFlagHit, ...] = (), reasons: tuple[str, ...] = ()) -> Assessment:
    """An urgent note for cardiology."""
    tasks = (
        task("department", "cardiology", cardiology=0.6, respiratory=0.2, neurology=0.1, dermatology=0.06, ent=0.04),
        task("acuity", "2", _1=0.2, _2=0.3, _3=0.4, _4=0.06, _5=0.04),
        task("condition", "circulatory", circulatory=0.7, respiratory=0.2, mental=0.1),
    )
    model = ModelIdentity("small", "1", "space")
    return Assessment({one.task: one for one in tasks}, flags, bool(reasons), reasons, (), "zh", model)


@dataclass
class MemoryRecords:
    """Records in memory.

    Attributes:
        fails: whether the database can't be used.
        added: each answer with person and hash.
        decided: each decision with its answer.
        noted: each row of the audit log that is neither.
        keeps_texts: whether the site keeps texts of overridden notes.
        texts: the texts kept, by answer.
    """

    fails: bool = False
    added: list[tuple[Assessment, str, str]] = field(default_factory=list)
    decided: list[tuple[int, Decision]] = field(default_factory=list)
    noted: list[tuple[Act, str, Mapping[str, Any]]] = field(default_factory=list)
    keeps_texts: bool = False
    texts: dict[int, str] = field(default_factory=dict)

    def add(self, assessment: Assessment, *, person: str, note_hash: str) -> int:
        """Record an answer."""
        self._try()
        self.added.append((assessment, person, note_hash))
        return len(self.added)

    def add_many(self, given: Sequence[NewAnswer]) -> list[int]:
        """Record several."""
        return [self.add(each.assessment, person=each.person, note_hash=each.note_hash) for each in given]

    def decide(self, answer: int, task: str, label: str, *, reason: str, person: str) -> Decision:
        """Record a decision."""
        self._try()
        given = self.added[answer - 1][0].tasks[task].label
        decision = Decision(task, given, label, reason, person, NOON)
        self.decided.append((answer, decision))
        return decision

    def answers(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        person: str | None = None,
        newest: int | None = None,
    ) -> Sequence[AnsweredNote]:
        """Nothing: no test reads here."""
        self._try()
        return []

    def note(self, kind: Act, person: str, facts: Mapping[str, Any], *, note_hash: str | None = None) -> None:
        """Add a row to the audit log."""
        self._try()
        self.noted.append((kind, person, facts))

    def keep_text(self, answer: int, text: str) -> None:
        """Keep a text."""
        self._try()
        self.texts[answer] = text

    def close(self) -> None:
        """Nothing to let go of."""

    def _try(self) -> None:
        if self.fails:
            raise RecordsError("The records can't be written now.")
