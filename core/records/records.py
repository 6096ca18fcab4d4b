"""What is recorded of an answer and of a decision, and the seam to where it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.notes import Assessment
from core.records.acts import Act


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about one task of an answer.

    Attributes:
        task: which.
        given: the label that the desk gave.
        decided: the label that the person gave; the same where the person accepted it.
        reason: why it was overridden, a code of `core.records.reasons`; empty where it was accepted.
        person: who decided.
        at: when (UTC).
    """

    task: str
    given: str
    decided: str
    reason: str
    person: str
    at: datetime

    @property
    def accepted(self) -> bool:
        """Whether the desk's label stood."""
        return self.given == self.decided


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer that is to be recorded.

    Attributes:
        assessment: the desk's answer.
        person: who asked.
        note_hash: keyed hash of the note (`core.records.hashing`), so that the same note can be recognised.
    """

    assessment: Assessment
    person: str
    note_hash: str


@dataclass(frozen=True, slots=True)
class AnsweredNote:
    """One answer of the desk, without the note.

    Attributes:
        id: number in the records.
        at: when it was given (UTC).
        person: who asked.
        labels: the decided label of each task, as the desk gave it.
        needs_review: whether the desk asked for a person.
        red_flags: ids of the rules met.
        language: the note's language.
        model: bundle, version and embedding space.
        decisions: the last decision about each task, by task.
    """

    id: int
    at: datetime
    person: str
    labels: Mapping[str, str]
    needs_review: bool
    red_flags: tuple[str, ...]
    language: str
    model: str
    decisions: Mapping[str, Decision] = field(default_factory=dict)

    def label(self, task: str) -> str | None:
        """The label that counts: a person's, else the desk's."""
        decision = self.decisions.get(task)
        return decision.decided if decision else self.labels.get(task)


class Records(Protocol):
    """Keeps answers, decisions and their audit log. Methods raise `RecordsError` when the database can't be used."""

    def add(self, assessment: Assessment, *, person: str, note_hash: str) -> int:
        """Record an answer, as `NewAnswer` names its parts; its id."""
        ...

    def add_many(self, given: Sequence[NewAnswer]) -> list[int]:
        """Record answers together, all of them or none; their ids, in order."""
        ...

    def decide(self, answer: int, task: str, label: str, *, reason: str, person: str) -> Decision:
        """Record what a person decided about one task of an answer; later decisions stand beside earlier ones."""
        ...

    def answers(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        person: str | None = None,
        newest: int | None = None,
    ) -> list[AnsweredNote]:
        """Answers given in a time span, at most the newest so many, oldest first, each with its last decisions."""
        ...

    def note(self, kind: Act, person: str, facts: Mapping[str, Any], *, note_hash: str | None = None) -> None:
        """Add a row to the audit log about something that is no answer and no decision.

        Args:
            kind: what was done.
            person: who did it.
            facts: codes, numbers and labels; never a note's text or a file's name.
            note_hash: keyed hash of the note that it is about, if any.
        """
        ...

    @property
    def keeps_texts(self) -> bool:
        """Whether this site keeps the texts of overridden notes."""
        ...

    def keep_text(self, answer: int, text: str) -> None:
        """Keep the text of an overridden note; refused where the site has not switched that on."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
