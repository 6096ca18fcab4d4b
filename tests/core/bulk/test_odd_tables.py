"""Tables that are wrong in ways that only large ones are: every row back, or a sentence before any work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.bulk.classify import classify_table
from core.bulk.tables import open_table
from core.errors import TableError
from core.settings import REPOSITORY
from tests.core.bulk.stub_desk import StubDesk
from tests.core.bulk.test_classify import read_csv


def test_a_header_repeated_in_the_middle_is_an_error_of_its_own(tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    part = "".join(f"{number},胸痛 {number}\n" for number in range(3000))
    notes.write_text(f"id,text\n{part}id,text\n{part}", encoding="utf-8")
    assert open_table(notes).notices == (
        "Rows that repeat the column names, as where tables were put together: 1. Each is an error.",
    )
    desk = StubDesk()
    report = classify_table(notes, tmp_path / "out.csv", desk)
    rows = read_csv(tmp_path / "out.csv")
    assert (report.rows, report.errors) == (6001, 1)
    assert (rows[3000]["text"], rows[3000]["status"]) == ("text", "error")
    assert rows[3000]["error"] == "row 3002 of the file repeats the column names: assess it by hand."
    assert all(note.text != "text" for note in desk.asked)


def test_lines_of_another_encoding_are_refused_with_their_place(tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    lines = [f"{number},患者胸痛，大汗 {number}\n" for number in range(20_000)]
    content = [line.encode("gb18030" if number % 1000 == 999 else "utf-8") for number, line in enumerate(lines)]
    notes.write_bytes(b"id,text\n" + b"".join(content))
    with pytest.raises(TableError, match=r"byte [\d,]+|line [\d,]+"):
        open_table(notes)


def test_a_row_of_ten_megabytes_is_a_row_like_others(tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    long = "chest pain, " * (10 * 2**20 // 12)
    notes.write_text(f'id,text\n0,cough\n1,"{long}"\n2,cough\n', encoding="utf-8")
    report = classify_table(notes, tmp_path / "out.csv", StubDesk())
    assert (report.rows, report.errors) == (3, 0)
    content = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert long in content


def test_a_quote_that_never_closes_in_a_large_table_is_refused_before_any_work(tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    lines = [f"{number},a cough for {number} days\n" for number in range(200_000)]
    lines[100_000] = '100000,"a cough that never closes\n'
    notes.write_text("id,text\n" + "".join(lines), encoding="utf-8")
    desk = StubDesk()
    with pytest.raises(TableError, match="a quotation mark that opens a cell"):
        classify_table(notes, tmp_path / "out.csv", desk)
    assert not desk.asked


def test_nul_bytes_in_many_rows_change_no_other_cell(tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    nul = "\0"
    texts = [f"cough {nul * (number % 3)}{number}" for number in range(5000)]
    notes.write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)), encoding="utf-8")
    classify_table(notes, tmp_path / "out.csv", StubDesk())
    assert [row["text"] for row in read_csv(tmp_path / "out.csv")] == texts


@pytest.mark.slow
def test_a_csv_of_six_times_the_size_takes_no_more_memory(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        """Peak resident memory of a run over so many rows of 4 kB each, in kB."""
        notes = tmp_path / f"{rows}.csv"
        with notes.open("w", encoding="utf-8", newline="") as file:
            file.write("id,text\r\n")
            for number in range(rows):
                file.write(f'{number},"{f"note {number}: 头疼, cough " * 160}"\r\n')
        command = [sys.executable, "-m", "tests.core.bulk.stub_desk", str(notes), str(tmp_path / "out.csv"), "0", "0"]
        child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        with child, child.stdout:  # type: ignore[union-attr]
            said = child.stdout.read()  # type: ignore[union-attr]
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        assert (child.returncode, said.split()[0]) == (0, str(rows))
        notes.unlink()
        return usage.ru_maxrss

    assert peak(240_000) < 1.2 * peak(40_000)
