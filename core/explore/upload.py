"""Notes of a table for the map: read, embedded part by part, answered by the desk's model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.answers import TaskColumn
from core.bulk.batch import shown
from core.bulk.patient import make_notes
from core.bulk.tables import open_table
from core.embedding.client import Embedder, Embeddings
from core.errors import TableError
from core.explore.points import Column, NoteSet
from core.language import Language
from core.model.evaluation_table import as_label
from core.notes import Note
from core.triage import TriageDesk, composed

MOST_ROWS = 20_000
LEAST_PART = 32
PART_SECONDS = 60.0  # outages shorter than that are waited out
FIRST_ROW = 2  # of a sheet, under its header
LONGEST_VALUE = 60
UNKNOWN, SAME, DIFFERENT, MORE_URGENT, LESS_URGENT = "", "same", "different", "more_urgent", "less_urgent"


@dataclass(frozen=True, slots=True)
class TableChoice:
    """Which columns of a table are read.

    Attributes:
        text: the notes.
        age: ages, if any.
        sex: sexes, if any.
        labels: the column of reference labels by task.
        others: further columns to colour by.
    """

    text: str
    age: str | None = None
    sex: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadedRows:
    """The rows of a table, as read.

    Attributes:
        notes: one a row.
        labels: reference labels by task, shape (n,) each; an empty text where a row has none.
        others: the further columns, shape (n,) each.
        texts: as they are embedded.
        languages: of the texts.
    """

    notes: Sequence[Note]
    labels: Mapping[str, NDArray[np.str_]]
    others: Mapping[str, NDArray[np.str_]]
    texts: Sequence[str]
    languages: Sequence[Language]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.notes)


def refuse_too_many(name: str, rows: int) -> None:
    """Raise where a table has more rows than the map embeds.

    Raises:
        TableError: it has; names both numbers.
    """
    if rows > MOST_ROWS:
        raise TableError(
            f"{name} has {rows:,} rows; the map embeds at most {MOST_ROWS:,}. Nothing was read; choose a part of the "
            "table, or classify it on the page Spreadsheet."
        )


def read_rows(path: Path, choice: TableChoice) -> UploadedRows:
    """The chosen columns of a table.

    Raises:
        TableError: it can't be read, lacks a column, or has too many rows.
    """
    table = open_table(path)
    refuse_too_many(path.name, table.rows or 0)
    wanted = [choice.text, choice.age, choice.sex, *choice.labels.values(), *choice.others]
    names = list(dict.fromkeys(name for name in wanted if name is not None))
    for name in names:
        if name not in table.columns:
            raise TableError(f"{path.name} has no column {shown(name)}. Nothing was read; choose its columns again.")
    cells: dict[str, list[object]] = {name: [] for name in names}
    for batch in table.batches():
        for name in names:
            cells[name].extend(batch.columns[name])
    notes = make_notes(
        cells[choice.text],
        cells[choice.age] if choice.age else None,
        cells[choice.sex] if choice.sex else None,
    )
    texts, languages = composed(notes)
    labels = {task: _labels(cells[name]) for task, name in choice.labels.items()}
    return UploadedRows(notes, labels, {name: _labels(cells[name]) for name in choice.others}, texts, languages)


def _labels(cells: Sequence[object]) -> NDArray[np.str_]:
    return np.array([as_label(cell)[:LONGEST_VALUE] for cell in cells], dtype=np.str_)


def part_size(embedder: Embedder) -> int:
    """Notes that are best embedded in one call: enough to keep the endpoint busy, few enough to stop soon."""
    return max(LEAST_PART, embedder.limits.list_texts * embedder.limits.concurrency // 2)


def embed_part(
    desk: TriageDesk, rows: UploadedRows, start: int, on_done: Callable[[int], None] | None = None
) -> Embeddings:
    """The vectors of the next part of the rows, from position `start` on.

    Raises:
        EndpointError: the endpoint as a whole gave none; the part can be asked for again.
    """
    part = rows.texts[start : start + part_size(desk.embedder)]
    return desk.embedder.embed(part, timeout=PART_SECONDS, on_done=on_done)


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """Parts that follow one another as one; at least one part."""
    starts = np.cumsum([0, *(len(part.vectors) for part in parts)]).tolist()
    each = list(zip(starts, parts, strict=False))
    return Embeddings(
        np.concatenate([part.vectors for part in parts]),
        {start + place: error for start, part in each for place, error in part.errors.items()},
        frozenset(start + place for start, part in each for place in part.truncated),
    )


@dataclass(frozen=True, slots=True)
class UploadedNotes:
    """The notes of a table, ready for the map.

    Attributes:
        notes: those that have a vector; their ids are the rows of the sheet.
        left_out: why a row is not on the map, by its row of the sheet.
    """

    notes: NoteSet
    left_out: Mapping[int, str]


def uploaded_notes(desk: TriageDesk, rows: UploadedRows, embeddings: Embeddings) -> UploadedNotes:
    """The first rows, as many as were embedded, with the answers of the desk's model."""
    count = len(embeddings.vectors)
    flags = desk.red_flags.find_many(rows.notes[:count])
    answers = desk.answer_embedded(rows.texts[:count], rows.languages[:count], embeddings, flags)
    places = answers.places
    columns = [
        *(part for column in answers.columns for part in _of_task(column, rows, places)),
        Column("review", "", np.array(["yes" if why else "no" for why in answers.reasons], dtype=np.str_)),
        Column("language", "", np.array(answers.languages, dtype=np.str_)),
        *(Column("other", name, values[places]) for name, values in rows.others.items()),
    ]
    texts = tuple(rows.notes[place].text for place in places.tolist())
    left_out = {place + FIRST_ROW: str(error) for place, error in sorted(answers.errors.items())}
    return UploadedNotes(NoteSet(places + FIRST_ROW, embeddings.vectors[places], tuple(columns), texts), left_out)


def _of_task(answered: TaskColumn, rows: UploadedRows, places: NDArray[np.int64]) -> list[Column]:
    """What there is to see of one task: decision, its probability, and the table's own label beside it."""
    decided = np.array(answered.labels, dtype=np.str_)
    found = [
        Column("predicted", answered.task, decided),
        Column("probability", answered.task, np.asarray(answered.probabilities, dtype=np.float64)),
    ]
    if answered.task in rows.labels:
        given = rows.labels[answered.task][places]
        found += [
            Column("label", answered.task, given),
            Column("agreement", answered.task, agreement(answered.task, decided, given)),
        ]
    return found


def agreement(task: str, decided: NDArray[np.str_], given: NDArray[np.str_]) -> NDArray[np.str_]:
    """How decisions stand to given labels: `same` or `different`, of levels also `more_urgent` or `less_urgent`.

    An empty text where there is no given label.
    """
    found = np.where(decided == given, SAME, DIFFERENT)
    if task == "acuity":
        levels = np.char.isdecimal(given) & np.char.isdecimal(decided)
        step = np.where(levels, decided, "0").astype(np.int64) - np.where(levels, given, "0").astype(np.int64)
        found = np.where(step < 0, MORE_URGENT, np.where(step > 0, LESS_URGENT, found))
    return np.where(given == "", UNKNOWN, found)
