"""The way through the house: note -> embedding -> heads -> assessment."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.answers import DeskAnswers, TaskColumn
from core.embedding.client import Embedder, Embeddings
from core.embedding.open import open_embedder
from core.embedding.text import clean, cut
from core.errors import TriageError
from core.language import Language, languages_of
from core.model.bundle import Bundle, load_bundle
from core.model.classifier import TextClassifier
from core.model.features import featurise
from core.model.registry import Registry
from core.notes import Assessment, Note
from core.settings import Settings, load_settings

TRUNCATED = ("truncated",)
SEX_ZH = {None: "", "female": "女性", "male": "男性"}


def composed(notes: Sequence[Note]) -> tuple[list[str], list[Language]]:
    """The text of each note as it is embedded, and the note's language.

    Age and sex, where given, stand before the cleaned text, in its language.
    """
    texts = [clean(note.text) for note in notes]
    languages = languages_of(texts)
    for place, note in enumerate(notes):
        if (note.age is not None or note.sex is not None) and texts[place]:
            texts[place] = _introduction(note, languages[place]) + texts[place]
    return texts, languages


def _introduction(note: Note, language: Language) -> str:
    if language in ("zh", "mixed"):
        age = "" if note.age is None else f"{note.age:g}岁"
        return f"{age}{SEX_ZH[note.sex]}。"
    age = "" if note.age is None else f"{note.age:g}-year-old"
    return f"{' '.join(part for part in (age, note.sex) if part)}. "


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
        threadpool_limits(limits=1, user_api="blas")  # small products: more threads only take cores from the endpoint
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
        return self.answer_many(notes, timeout=timeout).assessments()

    def answer_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> DeskAnswers:
        """As `assess_many`, in columns: for tables, which need a few cells of each answer."""
        texts, languages = composed(notes)
        return self.answer_embedded(texts, languages, self.embedder.embed(texts, timeout=timeout))

    def answer_embedded(
        self, texts: Sequence[str], languages: Sequence[Language], embeddings: Embeddings
    ) -> DeskAnswers:
        """As `answer_many`, for notes that `composed` gave and that the desk's embedder has embedded already."""
        places = np.array([place for place in range(len(texts)) if place not in embeddings.errors], dtype=np.int64)
        columns = self._columns(texts, embeddings, places)
        cut_short = [place in embeddings.truncated for place in places.tolist()]
        spoken = [languages[place] for place in places.tolist()]
        return DeskAnswers(
            embeddings.errors,
            places,
            columns,
            [()] * len(places),
            _reasons(columns, cut_short, spoken),
            [TRUNCATED if was_cut else () for was_cut in cut_short],
            spoken,
            self.bundle.identity,
        )

    def _columns(
        self, texts: Sequence[str], embeddings: Embeddings, places: NDArray[np.int64]
    ) -> tuple[TaskColumn, ...]:
        if not len(places):
            return ()
        longest = self.embedder.space.max_tokens
        read = [cut(texts[i], longest)[0] if i in embeddings.truncated else texts[i] for i in places.tolist()]
        features = featurise(embeddings.vectors[places], read)
        return tuple(TaskColumn(task, head.classes, head.answer(features)) for task, head in self.bundle.heads.items())


def _reasons(
    columns: Sequence[TaskColumn], cut_short: Sequence[bool], languages: Sequence[Language]
) -> list[tuple[str, ...]]:
    """Why a person must decide, for each note; empty where nothing says so."""
    unsure = [column.why_unsure() for column in columns]
    found = [tuple(filter(None, row)) for row in zip(*unsure, strict=True)]
    for row, (was_cut, language) in enumerate(zip(cut_short, languages, strict=True)):
        if was_cut:
            found[row] += ("the note was cut: its middle was not read",)
        if language == "other":
            found[row] += ("the note is neither Chinese nor English",)
    return found
