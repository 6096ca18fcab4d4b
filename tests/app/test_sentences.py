"""What core says of files, rows and runs is known to the page, in both languages."""

import io
import re
from pathlib import Path

import pytest

from app.sentences import (
    said_of_file,
    said_of_row,
    said_of_rows_kept,
    said_of_table,
    said_of_time,
    said_of_trouble,
)
from app.text import Voice
from core.bulk.jobs import Jobs
from core.bulk.tables import open_table
from core.embedding.job import NO_WORDS
from core.errors import NoteError, RecordsError, TableError, TriageError

EN, ZH = Voice("en"), Voice("zh")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BAD = {
    "empty.csv": b"", "header.csv": b"text,age\n", "photo.csv": b"\x89PNG\r\n", "paper.csv": b"%PDF-1.7",
    "table.docx": b"x", "latin.csv": bytes(range(128, 256)) * 9, "open.csv": b'text,age\n"never closed,3\nb,4\n',
    "mark.csv": b'text,age\n"closed" and on,3\n', "caret.csv": b"text^age\nchest pain^3\n", "book.xlsx": b"x",
    "secret.xlsx": b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "table.parquet": b"PAR1",
    "note.csv": "患者三天前开始咳嗽。,67\n头痛两天了,3\n".encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_every_refusal_of_a_file_has_its_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as refused:
        Jobs(tmp_path, "lead").create(name, io.BytesIO(BAD[name]))
    message = str(refused.value)
    assert CHINESE.search(said_of_file(message, ZH).replace("患者", ""))
    assert not CHINESE.search(said_of_file(message, EN))
    assert name in said_of_file(message, ZH) or name == "note.csv"
    assert "--" not in said_of_file(message, EN)


def test_notices_and_errors_of_rows_have_theirs(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("text,text,\na cough,b,c\nd,e\ntext,text,\n", encoding="utf-8")
    table = open_table(path)
    assert len(table.notices) == 4
    assert all(CHINESE.search(said_of_table(notice, ZH)) for notice in table.notices)
    problem = next(table.batches()).problems[1]
    assert said_of_row(f"{problem}: assess it by hand.", ZH) == "该行有 2 个单元格，首行有 3 个。请人工评估。"
    repeated = next(table.batches()).problems[2]
    assert said_of_row(f"{repeated}: assess it by hand.", ZH) == "该行重复了列名。"
    assert CHINESE.search(said_of_row(NO_WORDS, ZH))


def test_a_sentence_nobody_knows_is_shown_as_it_is() -> None:
    assert said_of_file("Something new.", ZH) == "Something new."


@pytest.mark.parametrize(
    ("trouble", "words"),
    [("EndpointTimeout", "does not answer"), ("EndpointBadAnswer", "answers wrongly"), ("BundleCorrupt", "model"),
     ("SpaceMismatch", "model"), ("unexpected", "the number abc"), ("TableError", "abc")],
)  # fmt: skip
def test_the_end_of_a_run_is_said_by_its_kind(trouble: str, words: str) -> None:
    assert words in said_of_trouble(trouble, "abc", EN)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (9, "< 1 min"), (600, "10 min"), (7200, "2.0 h")],
)
def test_time_left_is_said_in_round_words(seconds: float | None, words: str) -> None:
    assert said_of_time(seconds, EN) == words


def test_what_is_kept_is_counted() -> None:
    assert said_of_rows_kept(0, 2000, EN) == "Your table is kept."
    assert said_of_rows_kept(1500, 2000, EN) == "Your table is kept, and 1,500 of its 2,000 rows are finished."


def every_kind_of(error: type[TriageError]) -> list[type[TriageError]]:
    return [error, *(kind for child in error.__subclasses__() for kind in every_kind_of(child))]


def test_every_error_of_the_desk_has_a_sentence_that_names_no_path() -> None:
    of_the_readers_own = (TableError, NoteError, RecordsError)  # fixed sentences, or known by their form
    for kind in every_kind_of(TriageError):
        if kind is not TriageError and not issubclass(kind, of_the_readers_own):
            said = said_of_trouble(kind.__name__, "/srv/desk.db: No such file", ZH)
            assert CHINESE.search(said)
            assert "/srv" not in said
