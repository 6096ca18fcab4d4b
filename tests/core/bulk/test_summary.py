"""Counts over a classified table: the same for the page and for the sheet in the workbook."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
from openpyxl import load_workbook

from core.bulk.classify import classify_table
from core.bulk.summary import Summary, Tally
from tests.core.bulk.stub_desk import StubDesk


def answers(rows: list[tuple[str | None, int | None, bool, str]]) -> pa.RecordBatch:
    departments, levels, review, status = zip(*rows, strict=True)
    return pa.record_batch(
        {
            "department": pa.array(departments, pa.string()),
            "department_probability": pa.array([None if name is None else 0.97 for name in departments], pa.float64()),
            "acuity": pa.array(levels, pa.int64()),
            "condition": pa.array([None] * len(rows), pa.string()),
            "needs_review": pa.array(review, pa.bool_()),
            "reasons": pa.array(["a; b" if asked else "" for asked in review], pa.string()),
            "status": pa.array(status, pa.string()),
        }
    )


def counted() -> Summary:
    tally = Tally()
    tally.add(answers([("ent", 2, True, "ok"), ("ent", 3, False, "ok"), (None, None, True, "error")]))
    tally.add(answers([("oncology", 2, False, "ok")]))
    return tally.summary()


def test_rows_are_counted_by_kind_over_all_batches() -> None:
    found = counted()
    assert (found.rows, found.answered, found.errors, found.review) == (4, 3, 1, 2)
    assert found.levels == {"ent": {"2": 1, "3": 1}, "oncology": {"2": 1}}
    assert (found.departments, found.by_level) == ({"ent": 2, "oncology": 1}, {"2": 2, "3": 1})
    assert (found.review_by_department, found.review_by_level) == ({"ent": 1}, {"2": 1})
    assert found.reasons == {"a": 2, "b": 2}
    assert sum(found.histograms["department"]) == found.histograms["department"][19] == 3


def test_the_counts_come_back_from_their_json() -> None:
    assert Summary.from_dict(counted().as_dict()) == counted()


def test_a_workbook_has_filters_a_frozen_header_and_a_summary_sheet(tmp_path: Path) -> None:
    source = tmp_path / "notes.csv"
    source.write_text("text,=name\n胸痛,=1+1\n a cough ,@x\n,-\n", encoding="utf-8")
    classify_table(source, tmp_path / "out.xlsx", StubDesk())
    book = load_workbook(tmp_path / "out.xlsx")
    rows, counts = book["triage"], book["summary"]
    assert rows.freeze_panes == "A2"
    assert rows.auto_filter.ref == "A1:R4"
    assert [cell.data_type for cell in rows["B"]] == ["s", "s", "s", "s"]
    assert rows["D2"].number_format == "0%"
    assert all(rows.column_dimensions[column].width >= 9 for column in ("A", "B"))
    by_name = {row[0]: row for row in counts.iter_rows(values_only=True) if row[0]}
    assert by_name["All"][1:3] == ("全部", 3)
    assert by_name["Errors"][2] == 1
    assert by_name["2 Emergent"][1] == "2 危重"
    assert "Why a person must decide" in by_name


def test_a_workbook_can_be_read_again_as_a_table(tmp_path: Path) -> None:
    source = tmp_path / "notes.csv"
    pd.DataFrame({"text": ["胸痛", "a cough"]}).to_csv(source, index=False)
    classify_table(source, tmp_path / "one.xlsx", StubDesk())
    report = classify_table(tmp_path / "one.xlsx", tmp_path / "two.csv", StubDesk(), sheet="triage")
    assert (report.rows, report.errors) == (2, 0)
