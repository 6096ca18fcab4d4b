"""What programs may send: strict models, in which nothing unknown, too long or out of range passes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from core.notes import Note, Sex

LONGEST_NOTE = 50_000  # characters
MOST_NOTES = 256
OLDEST = 130  # years


class Strict(BaseModel):
    """No unknown fields, and no value taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoteIn(Strict):
    """One note."""

    text: str = Field(
        min_length=1,
        max_length=LONGEST_NOTE,
        description="The patient's message or the clinical note, in Chinese or English.",
        examples=["胸口压着痛半小时，出冷汗"],
    )
    age: float | None = Field(None, ge=0, le=OLDEST, allow_inf_nan=False, description="Years.", examples=[67])
    sex: Sex | None = Field(None, examples=["male"])

    def note(self) -> Note:
        """The note as the desk takes it."""
        return Note(self.text, self.age, self.sex)


class NotesIn(Strict):
    """Several notes."""

    notes: list[NoteIn] = Field(min_length=1, max_length=MOST_NOTES)


def _kind(body: object) -> str | None:
    if isinstance(body, NotesIn) or (isinstance(body, dict) and "notes" in body):
        return "several"
    return "one" if isinstance(body, dict | NoteIn) else None


AssessIn = Annotated[Annotated[NoteIn, Tag("one")] | Annotated[NotesIn, Tag("several")], Discriminator(_kind)]


class HookIn(BaseModel):
    """A call of the CDS Hooks service; fields that the standard may add are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    hook: Literal["patient-view"]
    hookInstance: str = Field(min_length=1, max_length=200)
    context: dict[str, Any]
    prefetch: dict[str, Any] | None = None


# What may be repeated of a request in an error: names of ours, nothing that came from outside.
KNOWN = frozenset(
    {"body", "query", "path", "header", *NoteIn.model_fields, *NotesIn.model_fields, *HookIn.model_fields,
     "why", "format", "file", "text_column", "age_column", "sex_column", "sheet"}
)  # fmt: skip


class Ranked(BaseModel):
    """A label and its calibrated probability."""

    label: str | int
    probability: float


class TaskOut(BaseModel):
    """The answer to one task; acuity's labels are levels, 1 the most urgent, and its `floor` comes from red flags."""

    label: str | int
    ranked: list[Ranked]
    prediction_set: list[str | int]
    floor: int | None = None


class EvidenceOut(BaseModel):
    """Words of the note, by their place."""

    start: int
    end: int
    text: str


class RedFlagOut(BaseModel):
    """A rule that the note meets, and the acuity that it demands at least."""

    id: str
    acuity: int
    evidence: list[EvidenceOut]
    source: str


class ModelOut(BaseModel):
    """Which model answered."""

    bundle: str
    version: str
    embedding: str


class AssessmentOut(BaseModel):
    """The answer for one note, as `triage assess --json` gives it."""

    tasks: dict[str, TaskOut]
    red_flags: list[RedFlagOut]
    needs_review: bool
    reasons: list[str]
    warnings: list[str]
    language: str
    model: ModelOut
    why: dict[str, Any] | None = Field(None, description="What the answer rests on; only where asked for.")


class NoteProblem(BaseModel):
    """Why one note of several has no assessment."""

    error: "ProblemOut"


class AssessmentsOut(BaseModel):
    """Answers to several notes, in their order."""

    assessments: list[AssessmentOut | NoteProblem]


class ProblemOut(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[dict[str, str]] | None = None
    red_flags: list[list[dict[str, Any]] | None] | None = None


class JobOut(BaseModel):
    """A table and how far it is."""

    id: str
    name: str
    state: Literal["waiting", "running", "stopped", "failed", "interrupted", "done"]
    created: str
    rows: int
    done: int
    text_column: str
    seconds_left: float | None = None
    trouble: str | None = Field(None, description="The kind of error that ended it.")
    errors: int | None = Field(None, description="Rows without an answer, once it is done.")


class ReadyOut(BaseModel):
    """Whether each part works: `ok`, or the kind of trouble."""

    status: Literal["ready", "not ready", "stopping"]
    parts: dict[str, str]
