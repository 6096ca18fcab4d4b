"""`triage audit` and `triage records`, and what other commands write into the audit log."""

import getpass
import json
import re
import sqlite3
from pathlib import Path

import pytest

from core.cli import run
from core.cli_records import operator
from core.model.bundle import Bundle
from core.records import engine
from core.records.acts import Act
from core.records.database import open_records
from core.settings import load_settings
from tests.core.records.conftest import NOON, NOTE, records_with_clock, some_assessment

Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def installation(fresh_installation: Path) -> Path:
    return fresh_installation


@pytest.fixture
def some_rows() -> None:
    records = open_records(load_settings())
    for _ in range(3):
        number = records.add(some_assessment(), person="nurse1", note_hash="")
        records.decide(number, "acuity", "1", reason="other", person="nurse1")
    records.close()


def change(installation: Path, *statements: str) -> None:
    connection = sqlite3.connect(installation / "data" / "records.sqlite")
    connection.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;" + ";".join(statements))
    connection.close()


def test_a_whole_log_is_one_line_with_count_and_last_time(some_rows: None, capsys: Shown) -> None:
    assert run(["audit", "verify"]) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"The audit log is whole: 6 rows, the last of \d{4}-\d\d-\d\dT[\d:.]+\+00:00\.\n", said.out)
    assert said.err == ""


def test_an_empty_log_is_whole(capsys: Shown) -> None:
    assert run(["audit", "verify"]) == 0
    assert capsys.readouterr().out == "The audit log is whole: 0 rows.\n"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET person = 'x' WHERE id = 4", "row 4 was changed"),
        ("DELETE FROM audit WHERE id = 2", "row 2 is missing"),
        ("DELETE FROM audit WHERE id = 6", "row 6 is missing"),
        ("UPDATE audit SET id = -1 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; "
         "UPDATE audit SET id = 4 WHERE id = -1", "row 3 does not stand where it was written"),
        ("UPDATE audit_head SET rows = 2", "length and end, after row 6, was changed"),
    ],
)  # fmt: skip
def test_a_broken_log_fails_and_says_where(
    statement: str, words: str, some_rows: None, installation: Path, capsys: Shown
) -> None:
    change(installation, statement)
    assert run(["audit", "verify"]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_clock_that_went_back_is_a_notice(installation: Path, capsys: Shown) -> None:
    records = open_records(load_settings())
    records.note(Act.SIGN_IN, "nurse1", {})
    records.close()
    earlier = records_with_clock(load_settings(), lambda: NOON.replace(year=2020))
    earlier.note(Act.SIGN_OUT, "nurse1", {})
    earlier.close()
    assert run(["audit", "verify"]) == 0
    said = capsys.readouterr()
    assert "2 rows" in said.out
    assert "the clock went back at 1 rows, first at row 2" in said.err


def test_an_export_is_checked_with_its_key_alone(
    some_rows: None, installation: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["audit", "export", "log.jsonl", "--since", "2020-01-01", "--until", "2100-01-01T00:00+08:00"]) == 0
    assert "6 rows in log.jsonl" in capsys.readouterr().out
    key = installation / "data" / "audit-signing-key.pub.pem"
    assert run(["audit", "check", "log.jsonl"]) == 0
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(installation / "elsewhere"))
    assert run(["audit", "check", "log.jsonl"]) == 1
    assert run(["audit", "check", "log.jsonl", "--key", str(key)]) == 0
    assert not (installation / "elsewhere").exists()
    assert "6 rows since 2020-01-01T00:00:00.000000+00:00 until 2099-12-31T16:00" in capsys.readouterr().out
    text = Path("log.jsonl").read_text(encoding="utf-8")
    Path("log.jsonl").write_text(text.replace("nurse1", "nurse2", 1), encoding="utf-8")
    assert run(["audit", "check", "log.jsonl", "--key", str(key)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_export_of_a_broken_log_says_so_twice(some_rows: None, installation: Path, capsys: Shown) -> None:
    change(installation, "DELETE FROM audit WHERE id = 2")
    assert run(["audit", "export", "log.jsonl"]) == 0
    assert "row 2 is missing" in capsys.readouterr().err
    assert run(["audit", "check", "log.jsonl"]) == 0
    assert "missing at row 2" in capsys.readouterr().err


def test_a_time_that_is_none_is_wrong_usage(capsys: Shown) -> None:
    assert run(["audit", "export", "log.jsonl", "--since", "yesterday"]) == 2
    assert "2026-03-04" in capsys.readouterr().err


def test_a_database_that_can_t_be_used_is_one_line(capsys: Shown, installation: Path) -> None:
    (installation / "data").write_text("a file where a folder is wanted")
    for command in (["audit", "verify"], ["audit", "export", "x.jsonl"], ["records", "training", "x.csv"]):
        assert run(command) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_kept_texts_become_a_training_table(capsys: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["records", "key"]) == 0
    monkeypatch.setenv("TRIAGE_TEXTS_KEY", capsys.readouterr().out.strip())
    monkeypatch.setenv("TRIAGE_KEEP_TEXTS_DAYS", "30")
    records = open_records(load_settings())
    number = records.add(some_assessment(), person="nurse1", note_hash="")
    records.keep_text(number, NOTE)
    records.close()
    assert run(["records", "training", "corrected.csv"]) == 0
    assert "1 notes in corrected.csv" in capsys.readouterr().out
    assert NOTE in Path("corrected.csv").read_text(encoding="utf-8")


def acts() -> list[tuple[str, str, dict[str, object]]]:
    assert run(["audit", "export", "acts.jsonl"]) == 0
    lines = [json.loads(line) for line in Path("acts.jsonl").read_text(encoding="utf-8").splitlines()[:-1]]
    return [(line["kind"], line["person"], line["facts"]) for line in lines]


def test_another_model_is_in_the_log_with_who_put_it_in_use(small_bundle: tuple[Path, Bundle]) -> None:
    folder, bundle = small_bundle
    name, who = f"small/{bundle.manifest.version}", f"os:{getpass.getuser()}"
    assert run(["models", "promote", str(folder)]) == 0
    assert run(["models", "promote", name]) == 0  # it is in use already
    assert run(["models", "rollback"]) == 0
    assert acts() == [
        ("model_promoted", who, {"before": None, "now": name}),
        ("model_rolled_back", who, {"before": name, "now": None}),
    ]


def test_a_model_is_changed_also_where_the_log_can_t_be_written_and_that_is_said(
    small_bundle: tuple[Path, Bundle], capsys: Shown, monkeypatch: pytest.MonkeyPatch, installation: Path
) -> None:
    (installation / "taken").write_text("")
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{installation / 'taken' / 'records.sqlite'}")
    assert run(["models", "promote", str(small_bundle[0])]) == 1
    said = capsys.readouterr()
    assert "answers from now on" in said.out
    assert said.err == f"The change is made, but the audit log does not have it. {engine.CANNOT_OPEN}\n"


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    assert re.fullmatch(r"os:\d+", operator())
