"""Overridden notes as a table that `triage train` reads: their texts, and the labels that count since."""

import csv
import io
from pathlib import Path

from core.records.acts import Act
from core.records.audit_export import whole_file
from core.records.database import DatabaseRecords
from core.records.summary import tasks_of


def write_training_table(records: DatabaseRecords, target: Path, *, person: str) -> int:
    """Write the texts that are kept with a column a task; rows. The file gets its name once the audit log knows of it.

    Raises:
        RecordsError: there is no key or not the right one, the records can't be used, or the file can't be written.
    """
    texts = records.kept_texts()
    notes = [note for note in records.answers() if note.id in texts]
    tasks = tasks_of(notes)
    with whole_file(target) as file:
        words = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        writer = csv.writer(words, lineterminator="\n")
        writer.writerow(["text", *tasks])
        for note in notes:
            writer.writerow([texts[note.id], *(note.label(task) or "" for task in tasks)])
        words.detach()
        records.note(Act.TEXTS_EXPORTED, person, {"rows": len(notes)})
    return len(notes)
