"""Read labelled tables for training: texts as the desk will embed them, labels, languages and sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.bulk.patient import read_age, read_sex
from core.bulk.tables import guess_text_column, open_table, read_frame
from core.embedding.text import has_words
from core.errors import TrainingError
from core.language import language_of
from core.model.recipe import Recipe
from core.notes import Note
from core.triage import composed

LEAST_NOTES = 10


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """Notes to train on.

    Attributes:
        texts: as they are embedded, shape (n,).
        labels: a column of labels a task, shape (n,) each; an empty string where a note has none.
        sources: the `source` column, or the file's name, shape (n,).
        languages: the `language` column, or by script, shape (n,).
        left_out: rows that were not used, by reason.
    """

    texts: NDArray[np.str_]
    labels: Mapping[str, NDArray[np.str_]]
    sources: NDArray[np.str_]
    languages: NDArray[np.str_]
    left_out: Mapping[str, int]


def read_labelled(tables: Sequence[Path], recipe: Recipe, *, text_column: str | None = None) -> LabelledTable:
    """The rows of all tables that have a text and at least one label; rows with `split` = `test` never.

    Raises:
        TableError: a table can't be read or has no text column.
        TrainingError: no table has a label for a task, or a class has fewer than ten notes and is not to be merged.
    """
    left_out: dict[str, int] = {"split is test": 0, "no words": 0, "no label": 0}
    frames = [_read(path, recipe, text_column, left_out) for path in tables]
    rows = pd.concat(frames, ignore_index=True)
    missing = [task for task in recipe.tasks if not (rows[task] != "").any()]
    if missing:
        raise TrainingError(
            f"No row has a label for {', '.join(missing)}. Name the label columns to learn with --tasks, "
            "or give tables that have them."
        )
    labels = {task: _enough(task, rows[task].to_numpy(dtype=str), recipe.merge_small) for task in recipe.tasks}
    columns = (rows[name].to_numpy(dtype=str) for name in ("text", "source", "language"))
    texts, sources, languages = columns
    return LabelledTable(texts, labels, sources, languages, {why: n for why, n in left_out.items() if n})


def _read(path: Path, recipe: Recipe, text_column: str | None, left_out: dict[str, int]) -> pd.DataFrame:
    frame = read_frame(path)
    column = text_column if text_column in frame.columns else guess_text_column(open_table(path))
    if "split" in frame.columns:
        tests = frame["split"].astype(str).eq("test")
        left_out["split is test"] += int(tests.sum())
        frame = frame[~tests]
    rows = pd.DataFrame(
        {
            "text": _texts(frame, column, recipe.text_limit),
            "source": _column(frame, "source", lambda: path.stem),
        }
    )
    rows["language"] = _column(frame, "language", str)
    rows["language"] = [given or language_of(text) for given, text in zip(rows["language"], rows["text"], strict=True)]
    for task in recipe.tasks:
        rows[task] = [_label(value) for value in frame[task]] if task in frame.columns else ""
    wordless = ~rows["text"].map(has_words).astype(bool)
    unlabelled = rows[list(recipe.tasks)].eq("").all(axis=1) & ~wordless
    left_out["no words"] += int(wordless.sum())
    left_out["no label"] += int(unlabelled.sum())
    return rows[~wordless & ~unlabelled]


def _texts(frame: pd.DataFrame, column: str, limit: int) -> list[str]:
    ages = _column(frame, "age", lambda: None)
    sexes = _column(frame, "sex", lambda: None)
    return [
        composed(Note("" if pd.isna(text) else str(text)[:limit], read_age(age), read_sex(sex)))
        for text, age, sex in zip(frame[column], ages, sexes, strict=True)
    ]


def _column(frame: pd.DataFrame, name: str, default: Callable[[], object]) -> list[object]:
    if name not in frame.columns:
        return [default()] * len(frame)
    return [default() if pd.isna(value) else value for value in frame[name]]


def _label(value: object) -> str:
    """A label as text; whole numbers that a table program made decimal (`2.0`) become whole again."""
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _enough(task: str, labels: NDArray[np.str_], merge_small: str | None) -> NDArray[np.str_]:
    """The labels, with classes of fewer than ten notes merged when asked."""
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    small = [str(name) for name, count in zip(names, counts, strict=True) if count < LEAST_NOTES]
    if small and merge_small is None:
        raise TrainingError(
            f"These classes of {task} have fewer than {LEAST_NOTES} notes: {', '.join(small)}. Add notes, or merge "
            "them into one class with --merge-small NAME."
        )
    merged = np.where(np.isin(labels, small), merge_small or "", labels) if small else labels
    if len(set(merged[merged != ""])) < 2:
        raise TrainingError(
            f"The task {task} has only one class; there is nothing to learn. Leave it out with --tasks."
        )
    return merged
