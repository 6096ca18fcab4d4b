"""Classifying tables: every row back, in order, with its types; an odd row fails alone; a bad target is said first."""

import csv
import datetime
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.bulk import excel_writer
from core.bulk.answers import CLOSING_COLUMNS
from core.bulk.classify import classify_table, rows_of_a_shard
from core.bulk.csv_writer import harmless
from core.bulk.excel_writer import ExcelWriter
from core.bulk.run import RunStopped
from core.bulk.summary import Tally
from core.bulk.tables import open_table
from core.errors import EndpointRefused, EndpointUnavailable, SpaceMismatch, TableError
from core.notes import Note
from tests.core.bulk.stub_desk import StubDesk

ADDED = [
    "department", "department_probability", "department_set", "acuity", "acuity_probability", "acuity_set",
    "condition", "condition_probability", "condition_set", *CLOSING_COLUMNS,
]  # fmt: skip


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "notes.csv", [["id", "text"], *([str(i), f"胸痛 {'x' * (i % 5)}"] for i in range(25))])


def test_each_row_comes_back_in_order_with_the_answers_of_design(notes: Path, tmp_path: Path) -> None:
    report = classify_table(notes, tmp_path / "out.csv", StubDesk(), shard_rows=10)
    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["id", "text", *ADDED]
    assert [row["id"] for row in rows] == [str(i) for i in range(25)]
    assert (report.rows, report.classified, report.errors, report.reused_rows) == (25, 25, 0, 0)
    assert rows[0] == {
        "id": "0", "text": "胸痛 ", "department": "dept-3", "department_probability": "0.7123",
        "department_set": "dept-3", "acuity": "2", "acuity_probability": "0.6", "acuity_set": "2; 3", "condition": "",
        "condition_probability": "", "condition_set": "", "red_flags": "chest_pain", "needs_review": "true",
        "reasons": "department: two answers possible; a red flag", "warnings": "", "status": "ok", "error": "",
        "model": "stub 1 stub-8",
    }  # fmt: skip
    assert not (tmp_path / "out.csv.parts").exists()


def test_order_holds_when_calls_end_in_another_order(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "notes.csv", [["text"], *([f"note {'y' * i}"] for i in range(900))])
    later = threading.Event()
    desk = StubDesk()

    def first_waits(asked: Sequence[Note]) -> None:
        if asked[0].text == "note ":
            later.wait(5)
        else:
            later.set()

    desk.before = first_waits
    classify_table(source, tmp_path / "out.csv", desk, shard_rows=300)
    assert [row["department"] for row in read_csv(tmp_path / "out.csv")] == [f"dept-{(5 + i) % 7}" for i in range(900)]


def test_an_empty_note_and_a_ragged_row_fail_alone(tmp_path: Path) -> None:
    source = tmp_path / "notes.csv"
    source.write_text("text,age\nfine words,1\n  ,2\ncut, in two,3\nlast words,4\n", encoding="utf-8")
    desk = StubDesk()
    report = classify_table(source, tmp_path / "out.csv", desk)
    rows = read_csv(tmp_path / "out.csv")
    assert [row["status"] for row in rows] == ["ok", "error", "error", "ok"]
    assert [row["needs_review"] for row in rows] == ["false", "true", "true", "false"]
    assert rows[1]["error"] == "The note has no words."
    assert "row 4 of the file has 3 cells" in rows[2]["error"]
    assert rows[2]["extra_cells"] == "3"
    assert "cut" not in {note.text for note in desk.asked}
    assert (report.rows, report.errors) == (4, 2)


def test_age_and_sex_columns_go_into_the_note(tmp_path: Path) -> None:
    source = write_csv(
        tmp_path / "notes.csv", [["主诉", "年龄", "性别"], ["咳嗽三天", "67岁", "女"], ["头痛", "?", ""]]
    )
    desk = StubDesk()
    classify_table(source, tmp_path / "out.csv", desk)
    assert desk.asked == [Note("咳嗽三天", 67, "female"), Note("头痛")]


def test_columns_named_like_the_answers_stay_and_the_answers_stand_beside_them(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "notes.csv", [["text", "department", "status"], ["a cough", "mine", "open"]])
    report = classify_table(source, tmp_path / "out.csv", StubDesk())
    row = read_csv(tmp_path / "out.csv")[0]
    assert (row["department"], row["status"]) == ("mine", "open")
    assert (row["department_triage"], row["status_triage"]) == ("dept-0", "ok")
    assert "department_triage" in report.notices[-1]


def test_a_sites_own_task_gets_three_columns(notes: Path, tmp_path: Path) -> None:
    classify_table(notes, tmp_path / "out.csv", StubDesk(tasks=("department", "ward")))
    row = read_csv(tmp_path / "out.csv")[0]
    assert (row["ward"], row["ward_probability"], row["ward_set"], row["acuity"]) == ("dept-3", "0.7123", "dept-3", "")


def test_parquet_types_are_kept(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["a cough", "a fall"]),
            "seen": pa.array([datetime.datetime(2024, 1, 2), None], pa.timestamp("ms", tz="UTC")),
            "codes": pa.array([[1, 2], None], pa.list_(pa.int8())),
            "score": pa.array([1.5, None], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "notes.parquet")
    classify_table(tmp_path / "notes.parquet", tmp_path / "out.parquet", StubDesk(), shard_rows=1)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(table.column_names).equals(table)
    assert found.schema.field("acuity").type == pa.int64()
    assert found.column("needs_review").to_pylist() == [False, False]


def test_excel_types_are_kept_and_text_never_becomes_a_formula(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 2, 29, 7, 30)
    frame = pd.DataFrame({"text": ["=1+1 cough", "a fall"], "n": [3, 4], "when": [day, None], "ok": [True, False]})
    frame.to_parquet(tmp_path / "notes.parquet")
    classify_table(tmp_path / "notes.parquet", tmp_path / "one.xlsx", StubDesk())
    classify_table(tmp_path / "one.xlsx", tmp_path / "two.xlsx", StubDesk())
    batch = next(open_table(tmp_path / "two.xlsx").batches())
    assert {name: batch.columns[name] for name in ("text", "n", "when", "ok", "acuity_triage")} == {
        "text": ["=1+1 cough", "a fall"], "n": [3, 4], "when": [day, ""], "ok": [True, False], "acuity_triage": [2, 2],
    }  # fmt: skip
    classify_table(tmp_path / "one.xlsx", tmp_path / "three.parquet", StubDesk())
    found = pq.read_table(tmp_path / "three.parquet")
    assert [found.schema.field(name).type for name in ("n", "when", "ok")] == [
        pa.int64(),
        pa.timestamp("us"),
        pa.bool_(),
    ]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [("=SUM(A1)", "'=SUM(A1)"), ("+cmd", "'+cmd"), ("-cmd|x", "'-cmd|x"), ("@x", "'@x"), ("\tx", "'\tx"),
     ("\rx", "'\rx"), ("-5", "-5"), ("+3.5", "+3.5"), ("-1e-3", "-1e-3"), ("plain", "plain"), ("", ""), ("-", "'-")],
)  # fmt: skip
def test_csv_cells_are_no_formulas_and_numbers_stay(cell: str, kept: str) -> None:
    assert harmless(cell) == kept


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(*[st.text(st.characters(blacklist_categories=["Cs"]), max_size=9)] * 2), min_size=1, max_size=6)
)
def test_any_table_of_texts_comes_out_with_the_same_cells(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    source = write_csv(tmp_path / "any.csv", [("text", "b"), *rows])
    classify_table(source, tmp_path / "any_out.csv", StubDesk(), shard_rows=2)
    out = [(row["text"], row["b"]) for row in read_csv(tmp_path / "any_out.csv")]
    assert out == [(harmless(a), harmless(b)) for a, b in rows]


def test_rows_past_the_last_of_a_sheet_stand_in_further_workbooks(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel_writer, "EXCEL_ROWS", 10)
    report = classify_table(notes, tmp_path / "out.xlsx", StubDesk(), shard_rows=7)
    assert "they stand in out.xlsx, out-2.xlsx, out-3.xlsx, in order" in report.notices[-1]
    ids: list[object] = []
    for name, rows in (("out.xlsx", 10), ("out-2.xlsx", 10), ("out-3.xlsx", 5)):
        batch = next(open_table(tmp_path / name).batches())
        assert list(batch.columns)[2:] == ADDED
        assert batch.rows == rows
        ids += batch.columns["id"]
        summary = pd.read_excel(tmp_path / name, sheet_name="summary", header=None, engine="calamine")
        assert summary.loc[1, 2] == 25  # of all of them
    assert ids == [str(number) for number in range(25)]
    assert not list(tmp_path.glob("*.parts"))


def test_a_table_of_one_row_more_than_a_sheet_holds_becomes_two_workbooks(tmp_path: Path) -> None:
    rows = excel_writer.EXCEL_ROWS + 1
    source = tmp_path / "notes.parquet"
    pq.write_table(pa.table({"text": pa.array(["cough"] * rows).dictionary_encode().cast(pa.string())}), source)
    writer = ExcelWriter(tmp_path / "out.xlsx", open_table(source), {}, {})
    blank = pa.RecordBatch.from_arrays([], names=[])
    writer._tally = SimpleNamespace(add=lambda _: None, summary=Tally().summary)  # type: ignore[assignment]
    for batch in open_table(source).batches(100_000):
        writer.write(batch, blank)
    writer.close()
    assert [path.name for path in writer.files] == ["out.xlsx", "out-2.xlsx"]
    assert next(open_table(tmp_path / "out-2.xlsx").batches()).columns["text"] == ["cough"]


def test_a_parquet_file_tells_what_run_it_comes_from(notes: Path, tmp_path: Path) -> None:
    classify_table(notes, tmp_path / "out.parquet", StubDesk())
    told = pq.read_schema(tmp_path / "out.parquet").metadata
    assert told[b"triage.model"] == b"stub 1 stub-8"
    assert told[b"triage.input"] == b"notes.csv"
    assert told[b"triage.text_column"] == b"text"
    assert told[b"triage.columns"].decode().split() == ADDED
    assert len(told[b"triage.input_digest"]) == 32


def test_a_csv_for_excel_begins_with_a_byte_order_mark(notes: Path, tmp_path: Path) -> None:
    classify_table(notes, tmp_path / "plain.csv", StubDesk())
    classify_table(notes, tmp_path / "marked.csv", StubDesk(), signature=True)
    assert (tmp_path / "marked.csv").read_bytes() == b"\xef\xbb\xbf" + (tmp_path / "plain.csv").read_bytes()


@pytest.mark.parametrize(
    ("size", "rows", "shard"),
    [(0, None, 2000), (30, 1, 2000), (1 << 20, 10_000, 2000), (5 << 20, 50_000, 5000), (90 << 20, 1_000_000, 11_111),
     (20 << 20, 1_000_000, 50_000), (200 << 20, 10_000_000, 50_000), (100 << 20, 100_000_000, 100_000),
     (5 << 30, 1_000_000, 3_125),
     (5 << 30, 100_000, 2000)],
)  # fmt: skip
def test_shards_are_cut_by_size(size: int, rows: int | None, shard: int) -> None:
    assert rows_of_a_shard(size, rows) == pytest.approx(shard, rel=0.01)


def test_bad_targets_are_refused_before_any_note_is_asked(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    locked = tmp_path / "locked.csv"
    locked.write_text("old", encoding="utf-8")
    locked.chmod(0o444)
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    for target, said in {
        tmp_path / "out.docx": "no kind of table that can be written",
        tmp_path / "folder.csv": "is a folder",
        tmp_path / "nowhere" / "out.csv": "does not exist",
        notes: "the input itself",
        locked: "read-only",
        closed / "out.csv": "read-only",
    }.items():
        desk = StubDesk()
        with pytest.raises(TableError, match=said):
            classify_table(notes, target, desk)
        assert not desk.asked
    assert locked.read_text(encoding="utf-8") == "old"


def test_a_cell_too_long_for_excel_is_said_before_the_work(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "notes.csv", [["text"], ["pain " * 8000]])
    desk = StubDesk()
    with pytest.raises(TableError, match=r"40,000 characters does not fit into Excel"):
        classify_table(source, tmp_path / "out.xlsx", desk)
    assert not desk.asked
    assert classify_table(source, tmp_path / "out.csv", desk).classified == 1


def test_an_unknown_text_column_is_refused_with_those_that_exist(notes: Path, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="“id”, “text”"):
        classify_table(notes, tmp_path / "out.csv", StubDesk(), text_column="note")


def test_an_endpoint_that_comes_back_loses_nothing(notes: Path, tmp_path: Path) -> None:
    failures = iter([EndpointUnavailable("Nobody answers.")] * 2)
    desk = StubDesk()

    def fails_twice(asked: Sequence[Note]) -> None:
        if (error := next(failures, None)) is not None:
            raise error

    desk.before = fails_twice
    assert classify_table(notes, tmp_path / "out.csv", desk, shard_rows=5).classified == 25


@pytest.mark.parametrize(
    "error",
    [EndpointUnavailable("Nobody answers."), EndpointRefused("Wrong key.", 401), SpaceMismatch("Another model.")],
)
def test_an_endpoint_that_stays_away_stops_the_run_and_keeps_what_is_done(
    notes: Path, tmp_path: Path, error: Exception
) -> None:
    desk = StubDesk()

    def dies_after_ten(asked: Sequence[Note]) -> None:
        if len(desk.asked) >= 10:
            raise error

    desk.before = dies_after_ten
    with pytest.raises(RunStopped, match=rf"^{error} 1?\d of 25 rows are done and kept"):
        classify_table(notes, tmp_path / "out.csv", desk, shard_rows=1, patience=0.1)
    desk.before = lambda asked: None
    report = classify_table(notes, tmp_path / "out.csv", desk, shard_rows=1)
    assert report.reused_rows >= 5
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")] == [str(i) for i in range(25)]


def test_a_table_that_changes_meanwhile_is_noticed(notes: Path, tmp_path: Path) -> None:
    desk = StubDesk()
    desk.before = lambda asked: notes.open("a", encoding="utf-8").close() or notes.touch()
    with pytest.raises(TableError, match="changed while it was read"):
        classify_table(notes, tmp_path / "out.csv", desk)
    assert not (tmp_path / "out.csv").exists()


def test_progress_is_shown_when_asked_for_and_not_in_a_pipe(
    notes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classify_table(notes, tmp_path / "out.csv", StubDesk())
    assert capsys.readouterr().err == ""
    classify_table(notes, tmp_path / "out.csv", StubDesk(), progress=True)
    assert "25/25" in capsys.readouterr().err
