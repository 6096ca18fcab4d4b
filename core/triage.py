"""The way through the house: note -> embedding -> heads -> assessment."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.answers import EMERGENCY, DeskAnswers, TaskColumn, floor_of
from core.embedding.client import Embedder, Embeddings
from core.embedding.open import open_embedder
from core.embedding.text import clean, cut, has_words
from core.errors import SettingsError, TriageError
from core.language import Language, languages_of
from core.model.bundle import Bundle, load_bundle
from core.model.classifier import TextClassifier
from core.model.features import TextFeatures, text_features, with_vectors
from core.model.registry import Registry
from core.notes import Assessment, Note, RedFlagHit
from core.safety.red_flags import RedFlags, red_flags
from core.settings import Settings, load_settings
from core.telemetry import observe
from core.why import Why, explain

TRUNCATED = ("truncated",)
NO_LEVEL = "a red flag asks for urgency, which this model does not judge"
Flags = tuple[RedFlagHit, ...]
SEX_ZH = {None: "", "female": "女性", "male": "男性"}


def composed(notes: Sequence[Note]) -> tuple[list[str], list[Language]]:
    """The text of each note as it is embedded, and the note's language.

    Age and sex, where given, stand before the cleaned text, in its language; not before a text without words, which
    stays one.
    """
    texts = [clean(note.text) for note in notes]
    languages = languages_of(texts)
    for place, note in enumerate(notes):
        if (note.age is not None or note.sex is not None) and has_words(texts[place]):
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

    Attributes:
        bundle: the trained model.
        embedder: where its vectors come from.
        red_flags: the rules on the text. Without bundle or endpoint there is no desk, and they run alone:
            `core.safety.red_flags.red_flags().find(note)`.
    """

    bundle: Bundle
    embedder: Embedder
    red_flags: RedFlags = field(default_factory=red_flags)

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """The desk as the settings describe it; starts the embedded endpoint when no URL is set.

        Raises:
            SettingsError: a setting or a rule of the red flags can't be used.
            BundleError: the bundle can't be used, or not with this endpoint.
            EndpointError: the endpoint gives no vectors.
        """
        settings = settings or load_settings()
        threadpool_limits(limits=1, user_api="blas")  # small products: more threads only take cores from the endpoint
        with ThreadPoolExecutor(1, "red-flags") as beside:  # the endpoint takes longer to start than the rules to load
            rules = beside.submit(red_flags)
            bundle = load_bundle(Registry(settings.data_dir).resolve(settings))
            embedder = open_embedder(settings, bundle.manifest.space, bundle.manifest.fingerprint)
        try:
            found = cls(bundle, embedder, rules.result())
        except SettingsError:
            embedder.close()
            raise
        observe.opened(bundle, found.red_flags.rules)
        return found

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

    def explain(self, note: Note | str) -> Why:
        """What the answer to one note rests on: the phrases that moved it, and the reference notes most like it.

        Raises:
            NoteError, EndpointError: as `assess` does.
        """
        return explain(self, Note(note) if isinstance(note, str) else note)

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
        flags: list[Flags] = []
        read: list[TextFeatures] = []

        def without_vectors() -> None:
            with observe.stage("rules", len(notes)):
                flags.extend(self.red_flags.find_many(notes))
            read.append(text_features(texts))

        with observe.stage("embed", len(notes)):
            embeddings = self.embedder.embed(texts, timeout=timeout, meanwhile=without_vectors)
        if not read:  # nothing had to be waited for
            without_vectors()
        with observe.stage("heads", len(notes)):
            return self.answer_embedded(texts, languages, embeddings, flags, read[0])

    def answer_embedded(
        self,
        texts: Sequence[str],
        languages: Sequence[Language],
        embeddings: Embeddings,
        flags: Sequence[Flags] | None = None,
        read: TextFeatures | None = None,
    ) -> DeskAnswers:
        """As `answer_many`, for notes that `composed` gave and that the desk's embedder has embedded already.

        Args:
            texts: from `composed`.
            languages: from `composed`.
            embeddings: of the texts.
            flags: the rules that each note meets, which `composed` texts can't tell; none: no note meets any.
            read: the features of the texts, where they are known already.
        """
        flags = [()] * len(texts) if flags is None else flags
        places = np.array([place for place in range(len(texts)) if place not in embeddings.errors], dtype=np.int64)
        met = [flags[place] for place in places.tolist()]
        columns, strange = self._columns(texts, embeddings, places, met, read)
        cut_short = [place in embeddings.truncated for place in places.tolist()]
        spoken = [languages[place] for place in places.tolist()]
        return DeskAnswers(
            embeddings.errors,
            places,
            columns,
            met,
            _reasons(columns, met, cut_short, spoken, strange),
            [TRUNCATED if was_cut else () for was_cut in cut_short],
            spoken,
            self.bundle.identity,
            {place: flags[place] for place in embeddings.errors if flags[place]},
        )

    def _columns(
        self,
        texts: Sequence[str],
        embeddings: Embeddings,
        places: NDArray[np.int64],
        flags: Sequence[Flags],
        read: TextFeatures | None,
    ) -> tuple[tuple[TaskColumn, ...], Sequence[bool]]:
        """Each task's answers, and which notes are unlike all that the bundle was trained on."""
        if not len(places):
            return (), ()
        if read is None or embeddings.truncated or embeddings.errors:
            longest = self.embedder.space.max_tokens
            kept = [cut(texts[i], longest)[0] if i in embeddings.truncated else texts[i] for i in places.tolist()]
            read = text_features(kept)
        features = with_vectors(embeddings.vectors[places], read)
        floors = {"acuity": tuple(map(floor_of, flags))} if any(flags) else {}
        columns = tuple(
            TaskColumn(task, head.classes, head.answer(features), floors.get(task, ()))
            for task, head in self.bundle.heads.items()
        )
        familiarity = self.bundle.familiarity
        return columns, [False] * len(features) if familiarity is None else familiarity.unfamiliar(features).tolist()


def _reasons(
    columns: Sequence[TaskColumn],
    flags: Sequence[Flags],
    cut_short: Sequence[bool],
    languages: Sequence[Language],
    strange: Sequence[bool],
) -> list[tuple[str, ...]]:
    """Why a person must decide, for each note; empty where nothing says so."""
    words = [each for column in columns for each in (column.why_raised(), column.why_unsure())]
    found = [tuple(filter(None, row)) for row in zip(*words, strict=True)]
    has_level = any(column.task == "acuity" for column in columns)
    told = zip(flags, cut_short, languages, strange, strict=True)
    for row, (met, was_cut, language, is_strange) in enumerate(told):
        if not has_level and (floor_of(met) or EMERGENCY + 1) <= EMERGENCY:
            found[row] += (NO_LEVEL,)
        if was_cut:
            found[row] += ("the note was cut: its middle was not read",)
        if language == "other":
            found[row] += ("the note is neither Chinese nor English",)
        elif is_strange:
            found[row] += ("the note is unlike those that the model learned from",)
    return found
