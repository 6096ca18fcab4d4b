from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import TableError
from core.explore import upload
from core.explore.upload import TableChoice, agreement, embed_part, joined, read_rows, uploaded_notes
from core.triage import TriageDesk

NOTES = ["胸口压着痛半小时，出冷汗", "", "itchy rash on both arms", "牙疼三天", "=1+1"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "notes.csv"
    facts = {
        "text": NOTES,
        "age": ["67", "", "30", "9", ""],
        "acuity": ["1", "3", "", "4", "5"],
        "ward": ["A", "A", "B", "", "B"],
    }
    pd.DataFrame(facts).to_csv(path, index=False, encoding="gb18030")
    return path


def test_the_chosen_columns_of_a_table_are_read(table: Path) -> None:
    rows = read_rows(table, TableChoice("text", age="age", labels={"acuity": "acuity"}, others=("ward",)))
    assert [note.text for note in rows.notes] == NOTES
    assert rows.notes[0].age == 67
    assert rows.texts[0].startswith("67岁。")
    assert rows.labels["acuity"].tolist() == ["1", "3", "", "4", "5"]
    assert rows.others["ward"].tolist() == ["A", "A", "B", "", "B"]


def test_a_column_that_is_gone_is_said(table: Path) -> None:
    with pytest.raises(TableError, match="no column “gone”"):
        read_rows(table, TableChoice("gone"))


def test_a_table_with_too_many_rows_is_refused_with_both_numbers(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MOST_ROWS", 4)
    with pytest.raises(TableError, match="has 5 rows; the map embeds at most 4"):
        read_rows(table, TableChoice("text"))


def test_notes_of_a_table_come_with_the_desk_s_own_answers(
    table: Path, desk: TriageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "part_size", lambda embedder: 3)
    rows = read_rows(table, TableChoice("text", age="age", labels={"acuity": "acuity"}, others=("ward",)))
    told: list[int] = []
    parts = [embed_part(desk, rows, start, told.append) for start in (0, 3)]
    found = uploaded_notes(desk, rows, joined(parts))
    assert sum(told) == len(rows)
    assert found.notes.ids.tolist() == [2, 4, 5, 6]
    assert set(found.left_out) == {3}
    assert "holds no words" in found.left_out[3]
    assert found.notes.texts == (NOTES[0], *NOTES[2:])
    keys = [column.key for column in found.notes.columns]
    assert keys[:2] == ["predicted:department", "probability:department"]
    assert {"agreement:acuity", "label:acuity", "review:", "language:", "other:ward"} <= set(keys)
    assert "agreement:department" not in keys
    answers = [answer for answer in desk.assess_many(rows.notes) if not isinstance(answer, Exception)]
    assert list(found.notes.column("predicted:department").values) == [a.tasks["department"].label for a in answers]
    assert list(found.notes.column("other:ward").values) == ["A", "B", "", "B"]


def test_rows_that_are_not_embedded_yet_are_not_on_the_map(
    table: Path, desk: TriageDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "part_size", lambda embedder: 3)
    rows = read_rows(table, TableChoice("text"))
    found = uploaded_notes(desk, rows, joined([embed_part(desk, rows, 0)]))
    assert found.notes.ids.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("task", "decided", "given", "expected"),
    [
        ("department", "cardiology", "cardiology", "same"),
        ("department", "cardiology", "dentistry", "different"),
        ("department", "cardiology", "", ""),
        ("acuity", "2", "2", "same"),
        ("acuity", "1", "3", "more_urgent"),
        ("acuity", "4", "3", "less_urgent"),
        ("acuity", "4", "red", "different"),
        ("acuity", "4", "", ""),
    ],
)
def test_an_answer_stands_to_the_table_s_label(task: str, decided: str, given: str, expected: str) -> None:
    assert agreement(task, np.array([decided]), np.array([given])).tolist() == [expected]
