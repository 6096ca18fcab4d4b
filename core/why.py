"""Why the desk answers as it does: the phrases that moved the answer, and the reference notes most like the note."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.embedding.text import has_words
from core.language import Language
from core.notes import Evidence, Note
from core.wording import speech_of

if TYPE_CHECKING:
    from core.answers import DeskAnswers
    from core.embedding.space import Vectors
    from core.model.bundle import Bundle
    from core.triage import TriageDesk

SIMILAR = 3
# Each phrase is left out once, so that all of them cost about as many notes, less one: twice the time of the note on an
# endpoint that computes one text after another.
PHRASES = 3
PHRASES_BATCHED = 8
LEAST_LETTERS = 4  # a shorter stretch is joined with its neighbour
_CLAUSE_END = re.compile(r"[。！？!?；;，,\n]+\s*|\.+(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of the note, and what it does to the answers.

    Attributes:
        words: where it stands.
        effects: for each task, the probability of the answer with the phrase less that without it (-1 to 1).
    """

    words: Evidence
    effects: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SimilarNote:
    """A reference note that may be shown.

    Attributes:
        text: what it says.
        labels: its label for each task that it has one for.
        similarity: cosine of the two vectors, the mean of their language taken off (-1 to 1).
    """

    text: str
    labels: Mapping[str, str]
    similarity: float


@dataclass(frozen=True, slots=True)
class Why:
    """What an answer rests on.

    Attributes:
        phrases: in the order of the note; none where it has only one.
        similar: the most similar first; none where the bundle has no texts to show.
    """

    phrases: tuple[Phrase, ...]
    similar: tuple[SimilarNote, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON types, in the shape of `triage assess --json`."""
        return {
            "phrases": [
                asdict(each.words) | {"effects": {task: round(value, 4) for task, value in each.effects.items()}}
                for each in self.phrases
            ],
            "similar": [
                {"text": each.text, "labels": dict(each.labels), "similarity": round(each.similarity, 4)}
                for each in self.similar
            ],
        }


def explain(desk: "TriageDesk", note: Note, *, timeout: float | None = None) -> Why:
    """Why the desk answers this note as it does: one list to the endpoint, with the note's phrases left out in turn.

    Args:
        desk: what answers.
        note: a note that it has answered.
        timeout: seconds; none: the embedder's own.

    Raises:
        EndpointError: no vectors before the deadline.
    """
    from core.triage import composed

    phrases = phrases_of(note.text, PHRASES_BATCHED if desk.embedder.limits.batches else PHRASES)
    less = [replace(note, text=note.text[: each.start] + note.text[each.end :]) for each in phrases]
    texts, languages = composed([note, *less])
    embeddings = desk.embedder.embed(texts, timeout=timeout)
    if 0 in embeddings.errors:
        raise embeddings.errors[0]
    answers = desk.answer_embedded(texts, languages, embeddings)
    similar = similar_notes(desk.bundle, embeddings.vectors[0], languages[0], count=SIMILAR)
    return Why(tuple(_effects(answers, phrases)), similar)


def phrases_of(text: str, most: int) -> list[Evidence]:
    """The clauses of a text, short ones joined until there are at most `most`; none where it is a single one."""
    ends = [mark.end() for mark in _CLAUSE_END.finditer(text)]
    bounds = [0, *ends, *([] if ends and ends[-1] == len(text) else [len(text)])]
    while len(bounds) > 2:
        sizes = [_letters(text[a:b]) for a, b in pairwise(bounds)]
        least = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[least] >= LEAST_LETTERS and len(sizes) <= most:
            break
        joins_before = least == len(sizes) - 1 or (least > 0 and sizes[least - 1] < sizes[least + 1])
        del bounds[least if joins_before else least + 1]
    if len(bounds) < 3:
        return []
    return [Evidence(a, b, text[a:b]) for a, b in pairwise(bounds)]


def _letters(text: str) -> int:
    """How much a stretch says: a Chinese character is about two letters."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text if character.isalnum())


def _effects(answers: "DeskAnswers", phrases: Sequence[Evidence]) -> list[Phrase]:
    """What each phrase does; one without which the note says nothing is left out."""
    rows = {place: row for row, place in enumerate(answers.places.tolist())}
    found = []
    for place, words in enumerate(phrases, start=1):
        if place not in rows or not has_words(words.text):
            continue
        effects = {}
        for column in answers.columns:
            decided = int(column.answers.decided[0])
            shares = column.answers.probabilities[:, decided]
            effects[column.task] = float(shares[0] - shares[rows[place]])
        found.append(Phrase(words, effects))
    return found


def similar_notes(bundle: "Bundle", vector: "Vectors", language: Language, *, count: int) -> tuple[SimilarNote, ...]:
    """The reference notes of the note's language that may be shown and are most like it."""
    reference = bundle.reference
    if reference is None or not reference.texts or bundle.familiarity is None:
        return ()
    spoken = np.array([speech_of(each) for each in reference.labels["language"]])
    rows = np.flatnonzero(np.array([bool(text) for text in reference.texts]) & (spoken == speech_of(language)))
    mean = bundle.familiarity.centre.means_[int(speech_of(language) == "zh")]
    near = _cosines(reference.vectors[rows].astype(np.float32) - mean, vector - mean)
    tasks = [task for task in bundle.heads if task in reference.labels]
    return tuple(
        SimilarNote(
            reference.texts[row],
            {task: str(label) for task in tasks if (label := reference.labels[task][row])},
            float(near[place]),
        )
        for place in np.argsort(-near, kind="stable")[:count].tolist()
        for row in [int(rows[place])]
    )


def _cosines(vectors: "Vectors", vector: "Vectors") -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.asarray(vectors @ vector / np.maximum(lengths, 1e-9), dtype=np.float32)
