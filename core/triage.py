"""The way through the house: note -> embedding -> heads -> assessment."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from core.embedding.client import Embedder, Embeddings
from core.embedding.open import open_embedder
from core.embedding.text import clean, cut
from core.errors import TriageError
from core.language import language_of
from core.model.bundle import Bundle, load_bundle
from core.model.classifier import TextClassifier
from core.model.features import featurise
from core.model.head import Head, HeadAnswers
from core.model.registry import Registry
from core.notes import Assessment, Note, RankedLabel, TaskAnswer
from core.settings import Settings, load_settings

EMERGENCIES = (1, 2)
WORDS_FOR_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


def composed(note: Note) -> str:
    """The text that is embedded: age and sex, where given, stand before the cleaned text, in its language."""
    text = clean(note.text)
    if (note.age is None and note.sex is None) or not text:
        return text
    if language_of(text) in ("zh", "mixed"):
        age = "" if note.age is None else f"{note.age:g}岁"
        sex = {None: "", "female": "女性", "male": "男性"}[note.sex]
        return f"{age}{sex}。{text}"
    age = "" if note.age is None else f"{note.age:g}-year-old"
    return f"{' '.join(part for part in (age, note.sex) if part)}. {text}"


@dataclass(frozen=True, slots=True)
class TriageDesk:
    """A loaded bundle and the endpoint it is bound to. Use as a context manager, or close it.

    Example::

        with TriageDesk.open() as desk:
            print(desk.assess("胸口压着痛半小时，出冷汗").tasks["department"].label)
    """

    bundle: Bundle
    embedder: Embedder

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """The desk as the settings describe it; starts the embedded endpoint when no URL is set.

        Raises:
            SettingsError: a setting can't be used.
            BundleError: the bundle can't be used, or not with this endpoint.
            EndpointError: the endpoint gives no vectors.
        """
        settings = settings or load_settings()
        bundle = load_bundle(Registry(settings.data_dir).resolve(settings))
        embedder = open_embedder(settings, bundle.manifest.space, bundle.manifest.fingerprint)
        return cls(bundle, embedder)

    def close(self) -> None:
        """Let go of the endpoint, and stop it if this desk started it."""
        self.embedder.close()

    def __enter__(self) -> Self:
        """The desk itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the desk."""
        self.close()

    def classifier(self, task: str) -> TextClassifier:
        """One task as a scikit-learn classifier over texts."""
        return TextClassifier(self.bundle, self.embedder, task)

    def assess(self, note: Note | str) -> Assessment:
        """The assessment of one note.

        Raises:
            NoteError: the note has no words.
            EndpointError: no vector before the deadline; the note can be sent again.
        """
        answer = self.assess_many([Note(note) if isinstance(note, str) else note])[0]
        if isinstance(answer, TriageError):
            raise answer
        return answer

    def assess_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> list[Assessment | TriageError]:
        """An assessment, or the error that kept it from one, for each note, in order.

        Args:
            notes: what to assess.
            timeout: seconds for all of them; none: the embedder's own.

        Raises:
            EndpointError: the endpoint as a whole fails; nothing was assessed.
        """
        texts = [composed(note) for note in notes]
        return self.assess_embedded(notes, texts, self.embedder.embed(texts, timeout=timeout))

    def assess_embedded(
        self, notes: Sequence[Note], texts: Sequence[str], embeddings: Embeddings
    ) -> list[Assessment | TriageError]:
        """As `assess_many`, for texts (see `composed`) whose vectors are there."""
        good = [i for i in range(len(notes)) if i not in embeddings.errors]
        found: list[Assessment | TriageError | None] = [embeddings.errors.get(i) for i in range(len(notes))]
        if good:
            longest = self.embedder.space.max_tokens
            read = [cut(texts[i], longest)[0] if i in embeddings.truncated else texts[i] for i in good]
            features = featurise(embeddings.vectors[good], read)
            answers = [task_answers(head, head.answer(features)) for head in self.bundle.heads.values()]
            for i, *tasks in zip(good, *answers, strict=True):
                found[i] = self._assessment(notes[i], tasks, i in embeddings.truncated)
        return [answer for answer in found if answer is not None]

    def _assessment(self, note: Note, answers: Sequence[TaskAnswer], truncated: bool) -> Assessment:
        language = language_of(note.text)
        tasks = {answer.task: answer for answer in answers}
        reasons = [reason for answer in answers if (reason := why_unsure(answer))]
        if truncated:
            reasons.append("the note was cut: its middle was not read")
        if language == "other":
            reasons.append("the note is neither Chinese nor English")
        warnings = ("truncated",) if truncated else ()
        return Assessment(tasks, (), bool(reasons), tuple(reasons), warnings, language, self.bundle.identity)


def task_answers(head: Head, answers: HeadAnswers) -> list[TaskAnswer]:
    """One head's answers, one a note; sorted for all notes at once, since tables have many."""
    order = np.argsort(-answers.probabilities, axis=1, kind="stable")
    shares = np.take_along_axis(answers.probabilities, order, axis=1).tolist()
    kept = np.take_along_axis(answers.sets, order, axis=1).tolist()
    names = np.array(head.classes, dtype=object)[order].tolist()
    return [
        TaskAnswer(
            head.task,
            head.classes[decided],
            tuple(map(RankedLabel, labels, row)),
            tuple(label for label, stays in zip(labels, rest, strict=True) if stays),
        )
        for decided, labels, row, rest in zip(answers.decided.tolist(), names, shares, kept, strict=True)
    ]


def why_unsure(answer: TaskAnswer) -> str | None:
    """Why a person must decide this task, in words; none when exactly one label is possible and it is the decision."""
    size = len(answer.prediction_set)
    kind = "levels" if answer.task == "acuity" else "answers"
    if size == 0:
        return f"{answer.task}: nothing is likely enough"
    if size > 1:
        return f"{answer.task}: {WORDS_FOR_NUMBERS.get(size, str(size))} {kind} possible"
    if answer.prediction_set[0] != answer.label:
        return f"{answer.task}: the cautious answer is not the likeliest one"
    return None
