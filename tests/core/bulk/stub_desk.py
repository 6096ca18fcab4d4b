"""A desk that answers from the text alone, so that tables are tested without a model."""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from core.answers import DeskAnswers, TaskColumn
from core.bulk.classify import classify_table
from core.errors import NoteError, TriageError
from core.model.head import HeadAnswers
from core.notes import ModelIdentity, Note, RedFlagHit


class StubDesk:
    """Answers every note at once; keeps the notes it was asked.

    Attributes:
        asked: the notes, in the order in which calls came.
        before: called before each answer, with the notes; may raise or block.
    """

    def __init__(self, *, version: str = "1", tasks: Sequence[str] = ("department", "acuity")) -> None:
        self.bundle: Any = SimpleNamespace(
            identity=ModelIdentity("stub", version, "stub-8"), heads=dict.fromkeys(tasks, None)
        )
        self.embedder: Any = SimpleNamespace(limits=SimpleNamespace(concurrency=8, list_texts=64))
        self.asked: list[Note] = []
        self.before: Callable[[Sequence[Note]], None] = lambda notes: None
        self._lock = threading.Lock()

    def answer_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> DeskAnswers:
        self.before(notes)
        with self._lock:
            self.asked.extend(notes)
        empty = {
            place: NoteError("The note has no words.") for place, note in enumerate(notes) if not note.text.strip()
        }
        places = [place for place in range(len(notes)) if place not in empty]
        texts = [notes[place].text for place in places]
        flagged = ["胸痛" in text for text in texts]
        return DeskAnswers(
            errors=empty,
            places=np.array(places, dtype=np.int64),
            columns=tuple(_column(task, texts) for task in self.bundle.heads),
            red_flags=[(RedFlagHit("chest_pain", 2, (), "a source"),) if flag else () for flag in flagged],
            reasons=[("department: two answers possible", "a red flag") if flag else () for flag in flagged],
            warnings=[()] * len(texts),
            languages=["zh"] * len(texts),
            model=self.bundle.identity,
        )


def _column(task: str, texts: Sequence[str]) -> TaskColumn:
    """Acuity 2 or 3 for every text; for other tasks a label after the text's length."""
    if task == "acuity":
        rows = len(texts)
        answers = HeadAnswers(np.tile([0.6, 0.4], (rows, 1)), np.ones((rows, 2), np.bool_), np.zeros(rows, np.int64))
        return TaskColumn(task, ("2", "3"), answers)
    decided = np.array([len(text) % 7 for text in texts], dtype=np.int64)
    sets = np.arange(8) == decided[:, None]
    classes = (*(f"dept-{number}" for number in range(7)), "other")
    return TaskColumn(task, classes, HeadAnswers(np.where(sets, 0.71234, 0.04109), sets, decided))


def main() -> None:
    """`python -m tests.core.bulk.stub_desk IN OUT SHARD_ROWS [SECONDS_A_CALL]`: a run; 0 shard rows: by size."""
    from time import sleep

    source, target, shard_rows, seconds = sys.argv[1:5]
    desk = StubDesk()

    def wait(notes: Sequence[Note]) -> None:
        desk.asked.clear()  # nobody looks, and memory is measured
        sleep(float(seconds))

    desk.before = wait
    try:
        report = classify_table(Path(source), Path(target), desk, shard_rows=int(shard_rows) or None)
    except TriageError as error:
        sys.exit(str(error))
    print(report.rows, report.reused_rows)  # noqa: T201


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it runs in the background
    main()
