"""Read labelled tables for training: texts as the desk will embed them, labels, languages and sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.bulk.tables import read_frame
from core.embedding.text import has_words
from core.errors import TrainingError
from core.model.evaluation_table import as_label, notes_of, text_column_of
from core.model.recipe import Recipe
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
    table = read_frame(path)
    column = text_column_of(path, table, text_column)
    if "split" in table.columns:
        tests = table["split"].astype(str) == "test"
        left_out["split is test"] += int(tests.sum())
        table = table[~tests]
    notes = [replace(note, text=note.text[: recipe.text_limit]) for note in notes_of(table, column)]
    texts, languages = composed(notes)
    facts: dict[str, list[str]] = {"text": texts}
    facts["source"] = [source or path.stem for source in _cells(table, "source")]
    facts["language"] = [given or found for given, found in zip(_cells(table, "language"), languages, strict=True)]
    facts |= {task: _cells(table, task) for task in recipe.tasks}
    rows = pd.DataFrame(facts, dtype=object)
    wordless = np.array([not has_words(note.text) for note in notes], dtype=bool)
    labelled = np.array(
        [any(labels) for labels in zip(*(facts[task] for task in recipe.tasks), strict=True)], dtype=bool
    )
    left_out["no words"] += int(wordless.sum())
    left_out["no label"] += int((~wordless & ~labelled).sum())
    return pd.DataFrame(rows[~wordless & labelled])


def _cells(table: pd.DataFrame, name: str) -> list[str]:
    """A column as labels; empty strings where the table has no such column."""
    return [as_label(cell) for cell in table[name]] if name in table.columns else [""] * len(table)


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
