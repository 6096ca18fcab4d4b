"""A first look at a table, and a dry run over its first rows."""

import io
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from core.bulk.columns import Columns
from core.bulk.dry_run import dry_run
from core.bulk.jobs import Choice, Jobs
from core.bulk.look import TableLook, look_at
from core.bulk.results import RowFilter
from core.errors import EndpointUnavailable, TableError
from tests.core.bulk.stub_desk import StubDesk


def test_a_look_finds_columns_by_name_and_comes_back_from_its_json(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("主诉,年龄,性别,科室,级别\n胸痛,67,女,心内科,2\n" + "咳嗽,,男,,\n" * 30, encoding="utf-8-sig")
    look = look_at(path)
    assert (look.text, look.age, look.sex) == ("主诉", "年龄", "性别")
    assert look.references == {"department": "科室", "acuity": "级别"}
    assert (look.rows, len(look.preview), look.encoding, look.header_row) == (31, 20, "UTF-8", 1)
    assert TableLook.from_dict(look.as_dict()) == look


def test_a_column_without_words_is_known(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2024-01-01\n,\n3,=cmd\n", encoding="utf-8")
    look = look_at(path)
    assert look.text is None
    assert look.words is not None
    assert look.words["a"] == 0
    assert look.preview[2] == ("3", "'=cmd")


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("empty")
        first = book.add_worksheet("first")
        first.write_row(2, 0, ["text", "age"])
        first.write_row(3, 0, ["chest pain", 67])
        first.merge_range(4, 0, 5, 0, "cough for days")
        first.write(5, 1, 3)
        book.add_worksheet("second").write_row(0, 0, ["x", "y"])
    return path


def test_a_workbook_with_several_sheets_is_asked_about(tmp_path: Path) -> None:
    path = workbook(tmp_path / "book.xlsx")
    assert look_at(path).asks_for_sheet
    assert look_at(path).sheets == ("first", "second")
    look = look_at(path, "first")
    assert (look.columns, look.rows, look.header_row) == (("text", "age"), 3, 3)
    assert "1 areas of merged cells" in look.notices[0]
    with pytest.raises(TableError, match="no rows"):
        look_at(path, "second")
    with pytest.raises(TableError, match="no sheet"):
        look_at(path, "third")


def test_rows_are_numbered_as_in_the_sheet(tmp_path: Path) -> None:
    path = workbook(tmp_path / "book.xlsx")
    job = Jobs(tmp_path, "lead").create("book.xlsx", io.BytesIO(path.read_bytes()))
    job.look_into("first")
    choice = Choice(Columns("text", "age", None), "first")
    table = dry_run(job, choice, StubDesk())
    found = table.find(RowFilter(errors=True), given=["age"])
    assert (found.total, found.numbers.tolist(), found.given["age"].tolist()) == (1, [6], [3])


def test_a_dry_run_takes_the_first_rows_alone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    content = pd.DataFrame({"text": [f"note {'x' * row}" for row in range(50)]}).to_csv(index=False).encode()
    job = Jobs(tmp_path, "lead").create("notes.csv", io.BytesIO(content))
    desk = StubDesk()
    choice = Choice(Columns("text", None, None))
    for _ in range(2):
        table = dry_run(job, choice, desk)
    assert len(desk.asked) == 40
    rows = table.find(RowFilter(levels=(2,), departments=("dept-5",)), given=["text"], limit=2)
    assert (rows.total, rows.numbers.tolist(), rows.given["text"].tolist()) == (3, [2, 9], ["note ", "note xxxxxxx"])
    assert table.find(RowFilter(levels=(5,))).total == 0
    assert not list(job.folder.glob("*.parts"))


def test_a_dry_run_without_an_endpoint_says_so(tmp_path: Path) -> None:
    job = Jobs(tmp_path, "lead").create("notes.csv", io.BytesIO(b"text\nchest pain\n"))
    desk = StubDesk()

    def fail(_: object) -> None:
        raise EndpointUnavailable("Nobody answers.")

    desk.before = fail
    with pytest.raises(EndpointUnavailable):
        dry_run(job, Choice(Columns("text", None, None)), desk, patience=0.05)
    assert not list(job.folder.glob("*.parts"))
