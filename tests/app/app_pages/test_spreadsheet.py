"""The Spreadsheet page: a table goes in, is tried, classified, looked at and deleted; bad ones are said calmly."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app import desk
from app.spreadsheet_results import _made
from app.spreadsheet_tables import JOB
from core.bulk.job_run import state_of, stop
from core.bulk.jobs import Job, Jobs
from core.records.tables import audit
from core.settings import REPOSITORY

NOTES = ("胸口压着痛半小时，出冷汗", "牙疼三天，脸肿了", "itchy rash on both arms", "", "我最近总是睡不着，很焦虑")
LABELS = ("心血管内科", "口腔科", "Dermatology", "dentistry", "psychiatry")


def csv_of(rows: int, *, alike: bool = True) -> bytes:
    """Five notes again and again; those that are not alike take their time."""
    notes = [NOTES[row % 5] + ("" if alike else f" {row}") for row in range(rows)]
    lines = [f"{row},{notes[row]},{LABELS[row % 5]},{row % 5 + 1}级" for row in range(rows)]
    return "\n".join(["编号,主诉,科室,分诊级别", *lines]).encode("gb18030")


@pytest.fixture(autouse=True)
def data(small_desk: Path) -> Iterator[Path]:
    yield small_desk
    for job in Jobs(small_desk, desk.LOCAL_PERSON).all():
        stop(job)


@pytest.fixture(params=["en", "zh"])
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("TRIAGE_LANGUAGE", request.param)
    return opened()


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("TRIAGE_LANGUAGE", "en")
    return opened()


def opened() -> AppTest:
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90)
    return page.run().switch_page("app_pages/spreadsheet.py").run()


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    page.file_uploader[0].upload(name, content).run()
    assert not page.exception
    return page


def jobs(data: Path) -> list[Job]:
    return Jobs(data, desk.LOCAL_PERSON).all()


def until(happens: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def said(page: AppTest) -> str:
    return " ".join(alert.value for alert in (*page.error, *page.warning, *page.info, *page.success))


def classified(page: AppTest, data: Path, content: bytes, name: str = "notes.csv") -> AppTest:
    upload(page, name, content)
    page.button(key="spreadsheet_start").click().run()
    until(lambda: state_of(jobs(data)[0]) == "done")
    page.run()
    assert not page.exception
    assert not page.error
    return page


def test_an_empty_page_says_what_to_do(page: AppTest) -> None:
    assert not page.exception
    assert "100 MB" in page.file_uploader[0].label
    assert not page.subheader


def test_a_table_is_looked_at_tried_and_classified(page: AppTest, data: Path) -> None:
    upload(page, "夜班.csv", csv_of(25))
    assert any("GB18030" in text.value and "25" in text.value for text in page.markdown)
    job = jobs(data)[0]
    assert page.selectbox(key=f"text_{job.id}_None").value == "主诉"
    assert page.selectbox(key=f"reference_department_{job.id}_None").value == "科室"
    assert page.selectbox(key=f"reference_acuity_{job.id}_None").value == "分诊级别"
    page.button(key="spreadsheet_try").click().run()
    assert not page.error
    trial = page.dataframe[-1].value
    assert len(trial) == 20
    assert trial.iloc[:, 0].tolist() == list(range(2, 22))

    page.button(key="spreadsheet_start").click().run()
    assert not page.exception
    until(lambda: state_of(job) == "done")
    page.run()
    assert not page.exception
    assert not page.error
    assert page.metric[0].value == "25"
    assert page.metric[3].value == "5"
    assert len(page.dataframe[-1].value) == 25
    assert len(page.get("download_button")) == 3


def test_no_text_stays_in_the_session(english: AppTest, data: Path) -> None:
    classified(english, data, csv_of(10))
    held = repr(english.session_state._state.filtered_state)
    assert JOB in held
    assert NOTES[0] not in held


def test_rows_are_filtered(english: AppTest, data: Path) -> None:
    classified(english, data, csv_of(25))
    id_ = english.session_state[JOB]
    english.toggle(key=f"errors_{id_}").set_value(True).run()
    rows = english.dataframe[-1].value
    assert rows["Row"].tolist() == [5, 10, 15, 20, 25]
    assert set(rows["Why"]) == {"The note is empty or holds no words. Assess it by hand."}
    english.toggle(key=f"errors_{id_}").set_value(False)
    english.multiselect(key=f"departments_{id_}").set_value(["dentistry"]).run()
    rows = english.dataframe[-1].value
    assert set(rows["Department"]) == {"Dentistry"}
    english.multiselect(key=f"levels_{id_}").set_value([5])
    english.toggle(key=f"review_{id_}").set_value(True).run()
    assert not english.exception


@pytest.mark.parametrize("view", [1, 2, 3])
def test_every_view_opens_in_both_languages(page: AppTest, data: Path, view: int) -> None:
    classified(page, data, csv_of(25))
    id_ = page.session_state[JOB]
    page.session_state[f"views_{id_}"] = [tab.label for tab in page.tabs][view]
    page.run()
    assert not page.exception
    assert not page.error
    if view == 1:
        assert len(page.get("plotly_chart")) == 5
    if view == 2:
        assert page.dataframe[-1].value.iloc[:, 0].tolist() == [5, 10, 15, 20, 25]
    if view == 3:
        assert len(page.get("plotly_chart")) == 2
        assert page.metric[4].value.endswith("%")


def test_the_agreement_reads_labels_in_either_language(english: AppTest, data: Path) -> None:
    classified(english, data, csv_of(25))
    english.session_state[f"views_{english.session_state[JOB]}"] = "Agreement"
    english.run()
    assert "do not know" not in " ".join(text.value for text in english.caption)
    matrix = english.dataframe[0].value
    assert set(matrix["Reference"]) == {"Cardiology", "Dentistry", "Dermatology", "Psychiatry"}


def test_a_double_click_starts_one_run_and_a_reload_finds_it(english: AppTest, data: Path) -> None:
    upload(english, "notes.csv", csv_of(2500, alike=False))
    english.button(key="spreadsheet_start").click().run()
    assert len(jobs(data)) == 1
    again = opened()
    assert again.session_state[JOB] == english.session_state[JOB]
    assert again.button(key="spreadsheet_stop")
    again.button(key="spreadsheet_stop").click().run()
    assert state_of(jobs(data)[0]) == "stopped"
    assert [alert.proto.title for alert in again.info] == ["You have stopped the run."]
    english.run()
    english.button(key="spreadsheet_go_on").click().run()
    assert state_of(jobs(data)[0]) == "running"


def test_other_columns_can_be_taken_after_a_stop(english: AppTest, data: Path) -> None:
    upload(english, "notes.csv", csv_of(2500, alike=False))
    english.button(key="spreadsheet_start").click().run()
    english.button(key="spreadsheet_stop").click().run()
    english.button(key="spreadsheet_start_over").click().run()
    assert state_of(jobs(data)[0]) == "new"
    assert english.button(key="spreadsheet_start")


def test_tables_are_listed_opened_and_deleted(english: AppTest, data: Path) -> None:
    upload(english, "a.csv", csv_of(3))
    english.button(key="other_tables").click().run()
    upload(english, "b.csv", csv_of(4))
    english.button(key="other_tables").click().run()
    assert [job.name for job in jobs(data)] == ["b.csv", "a.csv"]
    first = jobs(data)[1]
    english.button(key=f"open_{first.id}").click().run()
    assert english.subheader[0].value == r"a.csv"
    english.button(key=f"delete_{first.id}").click().run()
    assert [job.name for job in jobs(data)] == ["b.csv"]
    assert not first.folder.exists()


def test_nobody_sees_another_persons_tables(english: AppTest, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(english, "a.csv", csv_of(3))
    job = jobs(data)[0]
    monkeypatch.setattr("app.spreadsheet_tables.person", lambda: "somebody else")
    other = opened()
    assert other.file_uploader
    assert not other.subheader
    other.session_state[JOB] = job.id
    assert other.run().file_uploader


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.csv", b"\x89PNG\r\n\x1a\n\0\0", "photo.csv is a picture"),
        ("table.docx", b"x", "table.docx is no table"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", b"text,age\n", "has column names but no rows"),
        ("binary.csv", bytes(range(128, 256)) * 9, "encoding of binary.csv is not known"),
        ("book.xlsx", b"text", "can't be read as an Excel workbook"),
        ("secret.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        ("table.parquet", b"PAR1 and more", "can't be read as parquet"),
        ("note.csv", "患者三天前开始咳嗽，夜里加重。,67\n头痛，发热两天了,3\n".encode(), "looks like a note"),
    ],
)
def test_what_is_no_table_is_said_and_nothing_is_kept(
    english: AppTest, data: Path, name: str, content: bytes, words: str
) -> None:
    upload(english, name, content)
    assert words in said(english)
    assert english.file_uploader
    assert list((data / "jobs").glob("*")) == []
    english.run()
    upload(english, "good.csv", csv_of(3))
    assert not english.error
    assert len(jobs(data)) == 1


def test_refusals_are_chinese_for_a_chinese_reader(page: AppTest) -> None:
    upload(page, "photo.csv", b"\x89PNG\r\n\x1a\n\0\0")
    chinese = page.session_state["language"] == "zh"
    assert ("图片" in said(page)) is chinese


def test_one_row_is_a_table(english: AppTest, data: Path) -> None:
    classified(english, data, b"text\nI have chest pain\n")
    assert english.metric[0].value == "1"


def test_five_hundred_columns_are_a_table(english: AppTest, data: Path) -> None:
    header = ",".join(f"c{place}" for place in range(499))
    upload(english, "wide.csv", f"text,{header}\nchest pain since noon,{header}\n".encode())
    assert any("500 columns" in text.value for text in english.markdown)
    assert english.button(key="spreadsheet_start")


def test_a_column_of_numbers_and_dates_is_doubted(english: AppTest, data: Path) -> None:
    upload(english, "odd.csv", b"a,b\n1,2024-01-01\n,\n3,2024-01-02\n")
    assert "Choose the column with the notes." in said(english)
    job = jobs(data)[0]
    english.selectbox(key=f"text_{job.id}_None").set_value("a").run()
    assert "hold no words" in said(english)


def workbook(sheets: dict[str, list[list[object]]], *, title: str = "") -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows, 1 if title else 0):
                sheet.write_row(number, 0, row)
            if title:
                sheet.merge_range(0, 0, 0, 2, title)
    return content.getvalue()


def test_a_workbook_of_several_sheets_asks_which(english: AppTest, data: Path) -> None:
    rows: list[list[object]] = [["text", "age"], ["chest pain since noon", 67]]
    upload(english, "book.xlsx", workbook({"one": [["x"]], "two": rows, "three": [*rows, *rows[1:]]}))
    assert "3 sheets" in said(english)
    job = jobs(data)[0]
    box = english.selectbox(key=f"sheet_{job.id}")
    assert box.value is None
    box.set_value("one").run()
    assert "one has column names but no rows" in said(english)
    english.selectbox(key=f"sheet_{job.id}").set_value("three").run()
    assert any("2 rows" in text.value for text in english.markdown)
    english.button(key="spreadsheet_start").click().run()
    until(lambda: state_of(jobs(data)[0]) == "done")
    assert english.run().metric[0].value == "2"


def test_a_title_merged_over_the_columns_is_said(english: AppTest) -> None:
    rows: list[list[object]] = [["text", "age", "sex"], ["chest pain", 67, "f"]]
    upload(english, "book.xlsx", workbook({"one": rows}, title="January"))
    assert "the first row is one merged cell" in said(english)


def test_without_an_endpoint_the_trial_says_so_and_the_table_stays(
    english: AppTest, data: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_URL", f"http://127.0.0.1:{free_port}/v1")
    monkeypatch.setattr("core.bulk.dry_run.dry_run.__kwdefaults__", {"patience": 0.1}, raising=False)
    upload(english, "notes.csv", csv_of(3))
    english.button(key="spreadsheet_try").click().run()
    assert "does not answer" in said(english)
    assert len(jobs(data)) == 1


def test_what_nobody_expected_is_a_number(english: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("chest pain")

    monkeypatch.setattr(Jobs, "create", fail)
    upload(english, "notes.csv", csv_of(3))
    assert "the number" in said(english)
    assert "chest pain" not in said(english)


def test_the_download_is_what_the_command_writes(english: AppTest, data: Path) -> None:
    classified(english, data, csv_of(10), "夜班.csv")
    job = jobs(data)[0]
    frame = pd.read_csv(io.BytesIO(_made(job, ".csv", 10, False)()), encoding="utf-8-sig")
    with desk.records().one_view() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [row.kind for row in rows] == ["run_started", "run_finished", "export"]
    told = {"what": "spreadsheet", "job": job.id, "format": "csv", "rows": 10, "masked": False}
    assert json.loads(rows[-1].facts) == told
    assert "夜班" not in str(rows)
    english.button(key=f"delete_{job.id}").click().run()
    with desk.records().one_view() as connection:
        last = connection.execute(select(audit).order_by(audit.c.id.desc())).first()
    assert last is not None
    assert (last.kind, json.loads(last.facts)) == ("run_deleted", {"job": job.id})
    assert len(frame) == 10
    assert "department_probability" in frame.columns


def test_a_download_can_be_without_identifiers(english: AppTest, data: Path) -> None:
    text = "Mrs. Cole, tel 07700 900123, chest pain"
    classified(english, data, f'text,phone\n"{text}",07700 900123\n'.encode(), "ward.csv")
    job = jobs(data)[0]
    assert "Mrs. [name], tel [phone], chest pain" in list(english.dataframe[0].value["Note text"])
    english.toggle(key=f"mask_{job.id}").set_value(True).run()
    assert not english.exception
    for suffix in (".csv", ".parquet"):
        masked = _made(job, suffix, 1, True)()
        assert b"07700" not in masked
        assert b"07700" in _made(job, suffix, 1, False)() or suffix == ".parquet"
    frame = pd.read_csv(io.BytesIO(_made(job, ".csv", 1, True)()), encoding="utf-8-sig")
    assert list(frame["text"]) == ["Mrs. [name], tel [phone], chest pain"]
    assert list(frame["phone"]) == ["[phone]"]
