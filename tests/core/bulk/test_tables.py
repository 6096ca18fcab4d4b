"""Reading tables: what is found, what is kept, and what is refused in one clear line."""

import codecs
import csv
import datetime
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from core.bulk.csv_table import open_csv
from core.bulk.tables import Table, guess_text_column, open_table, read_frame
from core.errors import TableError

CHINESE = "主诉,年龄\n上腹部疼痛一天,67\n头痛，发热,3\n"
Saved = Callable[[str, bytes | str], Path]


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    def save(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


def cells(table: Table) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {name: [] for name in table.columns}
    for batch in table.batches(2):
        for name in table.columns:
            found[name].extend(batch.columns[name])
    return found


def refusal(path: Path) -> str:
    with pytest.raises(TableError) as caught:
        guess_text_column(open_table(path))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_chinese_csv_is_read_in_every_encoding_a_clinic_saves(saved: Saved, encoding: str) -> None:
    table = open_table(saved("notes.csv", CHINESE.encode(encoding)))
    assert table.encoding == encoding
    assert cells(table) == {"主诉": ["上腹部疼痛一天", "头痛，发热"], "年龄": ["67", "3"]}


def test_utf16_big_endian_with_a_mark_is_read(saved: Saved) -> None:
    table = open_table(saved("notes.csv", codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be")))
    assert table.columns == ("主诉", "年龄")


def test_english_utf16_without_a_mark_is_not_taken_for_utf8(saved: Saved) -> None:
    assert open_table(saved("notes.csv", "text,age\nchest pain,3\n".encode("utf-16-le"))).encoding == "utf-16-le"


def test_bytes_of_no_encoding_are_refused_with_what_was_tried_and_where(saved: Saved) -> None:
    message = refusal(saved("notes.csv", CHINESE.encode() + b"\xff\xff\n"))
    assert f"UTF-8 stops at byte {len(CHINESE.encode())}" in message
    assert "GB18030" in message


def test_a_bad_byte_far_into_the_file_is_found_before_any_work(saved: Saved) -> None:
    content = b"text,age\n" + b"some words here,3\n" * 200_000
    message = refusal(saved("notes.csv", content + b"caf\xe9,\x81\n"))
    assert f"byte {len(content) + 3:,}" in message


def test_latin1_text_is_not_guessed_to_be_chinese(saved: Saved) -> None:
    content = "text,age\nle m\xe9decin a dit\xe9e f\xe9vrier,3\n".encode("latin-1")
    assert "gives no readable Chinese" in refusal(saved("notes.csv", content))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(saved: Saved, delimiter: str) -> None:
    text = f'text{delimiter}age\n"a{delimiter} b"{delimiter}3\nc, d; e{delimiter}4\n'.replace(
        ", d", " d" if delimiter == "," else ", d"
    )
    table = open_csv(saved("notes.csv", text.replace("; e", " e" if delimiter == ";" else "; e")))
    assert table.delimiter == delimiter
    assert table.columns == ("text", "age")
    assert cells(table)["text"][0] == f"a{delimiter} b"


def test_a_delimiter_that_nobody_expects_is_noticed(saved: Saved) -> None:
    assert "no delimiter was found" in refusal(saved("notes.csv", "text^age\nchest pain^3\n"))


def test_commas_in_a_table_of_one_column_stay_in_the_note(saved: Saved) -> None:
    table = open_table(saved("notes.csv", 'text\nI have pain, and fever\n"so, he said ""help"""\n'))
    assert cells(table) == {"text": ["I have pain, and fever", 'so, he said "help"']}


def test_line_breaks_inside_quotes_stay_in_the_cell(saved: Saved) -> None:
    assert cells(open_table(saved("notes.csv", 'text,age\n"first\r\nsecond",3\n')))["text"] == ["first\r\nsecond"]


def test_ragged_rows_keep_every_cell_and_are_named(saved: Saved) -> None:
    table = open_table(saved("notes.csv", 'text,age\nlong note here,3\none,two,three,fo"ur\nshort\n'))
    batch = next(table.batches())
    assert table.columns == ("text", "age", "extra_cells")
    assert list(batch.columns["text"]) == ["long note here", "one", "short"]
    assert next(csv.reader([str(batch.columns["extra_cells"][1])])) == ["three", 'fo"ur']
    assert batch.problems == {
        1: "row 3 of the file has 4 cells, the header has 2",
        2: "row 4 of the file has 1 cells, the header has 2",
    }
    assert any("2 rows do not have" in notice for notice in table.notices)


def test_doubled_and_missing_headers_get_names_and_are_said(saved: Saved) -> None:
    table = open_table(saved("notes.csv", "text,text,,age\nchest pain,b,c,4\n"))
    assert table.columns == ("text", "text_2", "column_3", "age")
    assert len(table.notices) == 2
    assert cells(table)["text_2"] == ["b"]


def test_a_file_that_begins_with_a_note_is_told_to_have_no_header(saved: Saved) -> None:
    message = refusal(saved("notes.csv", "患者三天前开始咳嗽，夜里加重，有黄痰。,67\n头痛，发热两天了,3\n"))
    assert "row of column names" in message
    assert "黄痰" not in message


def test_no_text_column_is_said_with_the_columns_that_exist(saved: Saved) -> None:
    message = refusal(saved("notes.csv", "id,age\n1,67\n2,3\n"))
    assert "“id”, “age”" in message
    assert "--text-column" in message


@pytest.mark.parametrize(
    ("header", "expected"),
    [("id,主诉,text2", "主诉"), ("Chief Complaint,age", "Chief Complaint"), ("a,b", "b"), ("note,text", "text")],
)
def test_the_text_column_is_found_by_name_then_by_content(saved: Saved, header: str, expected: str) -> None:
    width = header.count(",") + 1
    row = ",".join(["7", "she has had a headache since noon", "x"][:width])
    assert guess_text_column(open_table(saved("notes.csv", f"{header}\n{row}\n"))) == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.csv", b"", "is empty"),
        ("notes.csv", b"\n\n", "is empty"),
        ("notes.csv", b"text,age\n", "no rows"),
        ("notes.csv", b"\x89PNG\r\n\x1a\n\0\0", "a picture (PNG)"),
        ("notes.csv", b"PK\x03\x04\0\0\0\0", "an Excel workbook"),
        ("notes.csv", b'text,age\n"never closed,3\nb,4\n', "never closes"),
        ("notes.csv", b'text,age\n"closed" and on,3\n', "line 2"),
        ("notes.docx", b"x", ".docx is no kind of table"),
        ("notes", b"x", "a name without suffix"),
        ("notes.xlsx", b"text,age\na,3\n", "can't be read as an Excel workbook"),
        ("notes.parquet", b"text,age\na,3\n", "can't be read as parquet"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(saved: Saved, name: str, content: bytes, said: str) -> None:
    assert said in refusal(saved(name, content))


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.csv")
    assert "does not exist" in refusal(tmp_path / "nowhere.csv")


def test_nul_bytes_stay_in_their_cell(saved: Saved) -> None:
    assert cells(open_table(saved("notes.csv", b"text,age\na\0b c\0d,3\n")))["text"] == ["a\0b c\0d"]


def test_excel_types_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.xlsx"
    day = datetime.datetime(2024, 2, 29, 7, 30)
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["text", "age", "hot", "when"])
        sheet.write_row(1, 0, ["chest pain", 67, True])
        sheet.write_datetime(1, 3, day, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_row(2, 0, ["cough", 1.5])
        book.add_worksheet("more").write(0, 0, "x")
    table = open_table(path)
    assert cells(table) == {"text": ["chest pain", "cough"], "age": [67, 1.5], "hot": [True, ""], "when": [day, ""]}
    assert "1 more" in table.notices[0]
    assert read_frame(path)["when"].tolist() == [day, None]


def test_a_frame_for_training_has_all_columns_and_marks_what_is_missing(saved: Saved, tmp_path: Path) -> None:
    frame = read_frame(saved("notes.csv", "text,acuity,department\nchest pain,2,\ncough,,ent\n"))
    assert frame.to_dict("list") == {
        "text": ["chest pain", "cough"],
        "acuity": ["2", None],
        "department": [None, "ent"],
    }
    pd.DataFrame({"text": ["a"], "acuity": [2]}).to_parquet(tmp_path / "notes.parquet")
    assert read_frame(tmp_path / "notes.parquet")["acuity"].tolist() == [2]


def test_a_ragged_row_stops_training_by_its_number(saved: Saved) -> None:
    with pytest.raises(TableError, match="row 3 of the file"):
        read_frame(saved("notes.csv", "text,acuity\na b,2\nc,d,3\n"))


@given(
    st.lists(st.tuples(*[st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)] * 3), min_size=1, max_size=8)
)
def test_any_table_of_texts_comes_back_with_the_same_cells(rows: list[tuple[str, str, str]]) -> None:
    content = io.StringIO(newline="")
    csv.writer(content, quoting=csv.QUOTE_ALL).writerows([("text", "b", "c"), *rows])
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.csv"
        path.write_bytes(content.getvalue().encode())
        found = cells(open_table(path))
    assert list(zip(found["text"], found["b"], found["c"], strict=True)) == rows
