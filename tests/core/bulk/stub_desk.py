"""A desk that answers from the text alone, so that tables are tested without a model."""

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.bulk.classify import classify_table
from core.errors import NoteError, TriageError
from core.notes import Assessment, ModelIdentity, Note, RankedLabel, RedFlagHit, TaskAnswer


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

    def assess_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> list[Assessment | TriageError]:
        self.before(notes)
        with self._lock:
            self.asked.extend(notes)
        return [self._answer(note) for note in notes]

    def _answer(self, note: Note) -> Assessment | TriageError:
        if not note.text.strip():
            return NoteError("The note has no words.")
        label = f"dept-{len(note.text) % 7}"
        ranked = (RankedLabel(label, 0.71234), RankedLabel("other", 0.28766))
        tasks = {
            task: TaskAnswer("acuity", "2", (RankedLabel("2", 0.6), RankedLabel("3", 0.4)), ("2", "3"), floor=2)
            if task == "acuity"
            else TaskAnswer(task, label, ranked, (label,))
            for task in self.bundle.heads
        }
        flags = (RedFlagHit("chest_pain", 2, (), "a source"),) if "胸痛" in note.text else ()
        reasons = ("acuity: two levels possible", "a red flag") if flags else ()
        return Assessment(tasks, flags, bool(flags), reasons, (), "zh", self.bundle.identity)


def main() -> None:
    """`python -m tests.core.bulk.stub_desk IN OUT SHARD_ROWS [SECONDS_A_CALL]`: a run that can be interrupted."""
    from time import sleep

    source, target, shard_rows, seconds = sys.argv[1:5]
    desk = StubDesk()
    desk.before = lambda notes: sleep(float(seconds))
    try:
        report = classify_table(Path(source), Path(target), desk, shard_rows=int(shard_rows))
    except TriageError as error:
        sys.exit(str(error))
    print(report.rows, report.reused_rows)  # noqa: T201


if __name__ == "__main__":
    main()
