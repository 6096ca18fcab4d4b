"""The records as a table to read or to take away. It has no text of a note."""

from collections.abc import Sequence
from datetime import tzinfo
from io import BytesIO

import pandas as pd

from core.bulk.csv_writer import harmless
from core.records.records import AnsweredNote
from core.records.summary import tasks_of


def answers_table(notes: Sequence[AnsweredNote], zone: tzinfo) -> pd.DataFrame:
    """One row a note, newest first, with codes for labels and reasons.

    Columns: `time` (of the reader, without zone), `person`; for each task `TASK` as the desk gave it, `TASK_decided`
    and `TASK_reason` (empty where nobody decided); then `needs_review`, `red_flags`, `language`, `model`.
    """
    newest_first = list(reversed(notes))
    times = pd.to_datetime([note.at for note in newest_first], utc=True).tz_convert(zone).tz_localize(None)
    columns: dict[str, object] = {"time": times.floor("s"), "person": [note.person for note in newest_first]}
    for task in tasks_of(notes):
        decisions = [note.decisions.get(task) for note in newest_first]
        columns[task] = [note.labels.get(task, "") for note in newest_first]
        columns[f"{task}_decided"] = [decision.decided if decision else "" for decision in decisions]
        columns[f"{task}_reason"] = [decision.reason if decision else "" for decision in decisions]
    columns["needs_review"] = [note.needs_review for note in newest_first]
    columns["red_flags"] = [", ".join(note.red_flags) for note in newest_first]
    columns["language"] = [note.language for note in newest_first]
    columns["model"] = [note.model for note in newest_first]
    return pd.DataFrame(columns)


def csv_of(table: pd.DataFrame) -> bytes:
    """The table as csv that Excel opens as UTF-8 and runs no cell of."""
    safe = table.rename(columns=harmless)
    for name in safe.columns:
        if not (pd.api.types.is_bool_dtype(safe[name]) or pd.api.types.is_datetime64_any_dtype(safe[name])):
            safe[name] = [harmless(str(cell)) for cell in safe[name]]
    file = BytesIO()
    safe.to_csv(file, index=False, encoding="utf-8-sig", date_format="%Y-%m-%d %H:%M:%S", lineterminator="\r\n")
    return file.getvalue()
