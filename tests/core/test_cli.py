import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.cli import TEXT_LIMIT, run
from core.errors import EndpointUnavailable
from core.model.bundle import Bundle
from core.settings import REPOSITORY
from core.triage import TriageDesk
from tests.fault_server import FaultServer

NOTE = "胸口压着痛半小时，出冷汗"
SECRET = "words of the note"


@pytest.fixture(autouse=True)
def installation(fresh_installation: Path, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    return fresh_installation


@pytest.fixture
def open_door(desk_of_small_bundle: TriageDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands get a desk that is open already, and leave it open."""
    monkeypatch.setattr(TriageDesk, "open", lambda settings=None: desk_of_small_bundle)
    monkeypatch.setattr(TriageDesk, "close", lambda desk: None)


@pytest.fixture(scope="module")
def desk_of_small_bundle(small_bundle: tuple[Path, Bundle], embedded: Any) -> TriageDesk:
    return TriageDesk(small_bundle[1], embedded)


def give(monkeypatch: pytest.MonkeyPatch, data: bytes, *, terminal: bool = False) -> None:
    stream = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdin", stream)


def child(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "core.cli", *arguments],
        capture_output=True, encoding="utf-8", env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
    )  # fmt: skip


class TestAssess:
    def test_acuity_comes_first_in_the_note_s_language(
        self, open_door: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["assess", NOTE, "--age", "67", "--sex", "male"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("紧急程度")
        assert "心血管内科" in shown
        assert "仅供参考，由人决定。" in shown

    def test_columns_stand_below_each_other(self, open_door: None, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["assess", "I have an itchy red rash on both arms"]) == 0
        lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
        assert len({len(line) for line in lines}) == 1

    def test_the_site_s_language_goes_before_the_note_s(
        self, open_door: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TRIAGE_LANGUAGE", "en")
        assert run(["assess", NOTE]) == 0
        assert capsys.readouterr().out.startswith("Acuity")

    def test_json_is_the_assessment(self, open_door: None, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["assess", NOTE, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["tasks"]["department"]["ranked"][0]["label"] == "cardiology"
        assert found["tasks"]["acuity"]["label"] in (1, 2, 3, 4, 5)
        assert found["model"]["bundle"] == "small"
        assert set(found["why"]) == {"phrases", "similar"}

    @pytest.mark.parametrize("arguments", [["assess", "-", "--json"], ["assess", "--json"]])
    def test_standard_input_is_read_as_utf_8_with_or_without_a_mark(
        self, arguments: list[str], open_door: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        give(monkeypatch, b"\xef\xbb\xbf" + NOTE.encode())
        assert run(arguments) == 0
        assert json.loads(capsys.readouterr().out)["language"] == "zh"

    @pytest.mark.parametrize(
        ("data", "words"), [(NOTE.encode("gb18030"), "not UTF-8"), (b"a" * (TEXT_LIMIT + 1), "longer than 8 MB")]
    )
    def test_what_is_no_note_is_refused_in_one_line(
        self, data: bytes, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        give(monkeypatch, data)
        assert run(["assess", "-"]) == 1
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1

    @pytest.mark.parametrize("arguments", [[], ["--json"]])
    def test_without_a_bundle_red_flags_are_told_and_the_command_fails(
        self, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TRIAGE_MODEL", "/no/such/bundle")
        assert run(["assess", "胸口压榨样疼痛，大汗，喘不过气", *arguments]) == 1
        said = capsys.readouterr()
        assert ("不可遗漏" in said.out and "请人工分诊" in said.out) is not bool(arguments)
        assert said.err.count("\n") == 1

    @pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "\x00"])
    def test_a_note_without_words_is_refused_in_one_line(
        self, text: str, open_door: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["assess", text]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)

    @pytest.mark.parametrize(
        "arguments", [["--age", "nan"], ["--age", "131"], ["--age", "-1"], ["--age", "old"], ["--sex", "x"], ["more"]]
    )
    def test_wrong_usage_ends_with_2(self, arguments: list[str]) -> None:
        assert run(["assess", NOTE, *arguments]) == 2

    def test_without_a_text_at_a_terminal_it_says_how(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        give(monkeypatch, b"", terminal=True)
        assert run(["assess"]) == 2
        assert "Ctrl+D" in capsys.readouterr().err

    def test_the_locale_does_not_matter(self) -> None:
        done = child("assess", NOTE, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        assert (done.returncode, done.stderr) == (0, "")
        assert "心血管内科" in done.stdout


class TestClassify:
    def test_every_row_is_answered(
        self, open_door: None, installation: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (installation / "in.csv").write_text(f"id,note\n7,{NOTE}\n8,\n9,itchy rash on my arms\n", encoding="utf-8")
        assert run(["classify", "in.csv", "out.csv", "--text-column", "note"]) == 0
        assert capsys.readouterr().out.startswith("3 rows, 2 classified, 1 with an error (see the column error)")
        found = pd.read_csv(installation / "out.csv")
        assert found["id"].tolist() == [7, 8, 9]
        assert found["status"].tolist() == ["ok", "error", "ok"]

    def test_a_table_that_is_not_there_is_said_in_one_line(
        self, open_door: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["classify", "missing.csv", "out.csv"]) == 1
        said = capsys.readouterr().err
        assert "missing.csv" in said
        assert said.count("\n") == 1

    def test_an_engine_that_is_not_there_is_wrong_usage(self) -> None:
        assert run(["classify", "in.csv", "out.csv", "--engine", "cluster"]) == 2


class TestTrain:
    @pytest.mark.parametrize(
        "arguments",
        [[], ["table.csv"], ["table.csv", "--out", "b", "--pca", "1.5"], ["table.csv", "--out", "b", "--tasks", ","]],
    )
    def test_wrong_usage_ends_with_2(self, arguments: list[str]) -> None:
        assert run(["train", *arguments]) == 2

    def test_options_reach_the_recipe(
        self, small_table: Path, installation: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["--tasks", "department, department", "--name", "ours", "--no-reference", "--coverage", "0.8"]
        assert run(["train", str(small_table), "--out", "made", *arguments]) == 0
        shown = capsys.readouterr()
        assert shown.out.startswith("task")
        assert shown.err == ""  # no progress where nobody watches
        manifest = json.loads((installation / "made" / "manifest.json").read_text(encoding="utf-8"))
        assert (manifest["name"], list(manifest["tasks"])) == ("ours", ["department"])
        assert manifest["tasks"]["department"]["coverage"] == 0.8
        assert not (installation / "made" / "reference.npz").exists()


class TestEvaluate:
    def test_figures_are_printed_and_written(
        self, open_door: None, small_table: Path, installation: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["--by", "style", "--json", "figures.json", "--report", "report"]
        assert run(["evaluate", str(small_table), *arguments]) == 0
        assert "department" in capsys.readouterr().out
        figures = json.loads((installation / "figures.json").read_text(encoding="utf-8"))
        assert figures["tasks"]["department"]["top1"] > 0.9  # it was trained on them
        assert "patient" in figures["by"]["style"]
        assert list((installation / "report").glob("*.html"))

    def test_json_on_standard_output_is_nothing_but_json(
        self, open_door: None, small_table: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["evaluate", str(small_table), "--json", "-"]) == 0
        assert json.loads(capsys.readouterr().out)["rows"] > 100

    def test_a_file_that_can_t_be_written_is_said_in_one_line(
        self, open_door: None, small_table: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["evaluate", str(small_table), "--json", "no/such/folder/figures.json"]) == 1
        assert capsys.readouterr().err.count("\n") == 1


class TestCheckEndpoint:
    def test_an_endpoint_that_keeps_the_contract(self, capsys: pytest.CaptureFixture[str]) -> None:
        with FaultServer() as server:
            assert run(["check-endpoint", "--url", server.url]) == 0
        shown = capsys.readouterr().out
        assert "FAIL" not in shown
        assert "keeps the contract" in shown

    def test_nobody_there(self, free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["check-endpoint", "--url", f"http://127.0.0.1:{free_port}/v1"]) == 1
        shown = capsys.readouterr()
        assert shown.out.startswith("FAIL  ready")
        assert shown.err.count("\n") == 1

    def test_an_address_that_is_none_is_wrong_usage(self) -> None:
        assert run(["check-endpoint", "--url", "somewhere"]) == 2


class TestModels:
    @pytest.fixture(autouse=True)
    def nothing_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TRIAGE_MODEL")

    def test_a_folder_is_promoted_and_rolled_back(
        self, small_bundle: tuple[Path, Bundle], capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder, bundle = small_bundle
        name = f"small/{bundle.manifest.version}"
        assert run(["models", "promote", str(folder)]) == 0
        assert run(["models", "list"]) == 0
        assert f"* {name}  " in capsys.readouterr().out
        assert run(["models", "verify"]) == 0
        assert f"{name} is whole" in capsys.readouterr().out
        assert run(["models", "rollback"]) == 0
        assert "The bundle shipped with the desk answers" in capsys.readouterr().out

    def test_the_bundle_that_is_set_has_the_star(
        self, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
        assert run(["models", "list"]) == 0
        assert next(line for line in capsys.readouterr().out.splitlines() if line.startswith("*")).endswith("small")

    @pytest.mark.parametrize("arguments", [["verify", "nothing"], ["promote", "nothing"], ["rollback"]])
    def test_what_is_not_there_is_said_in_one_line(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["models", *arguments]) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_serve_puts_the_server_in_the_command_s_place(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, command: commands.append(command))
    assert run(["serve", "--port", "9000"]) == 0
    assert commands == [[sys.executable, "-P", "-m", "app.server", "--host", "127.0.0.1", "--port", "9000"]]


@pytest.mark.parametrize("arguments", [["nothing"], ["serve", "--port", "0"], ["serve", "--port", "70000"], ["--no"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert run(arguments) == 2


def test_a_wrong_setting_ends_with_2_and_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_CONCURRENCY", "many")
    assert run(["assess", NOTE]) == 2
    assert "TRIAGE_EMBEDDING_CONCURRENCY='many'" in capsys.readouterr().err


class TestWhenTheDeskFails:
    @pytest.fixture
    def failure(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        def fail(settings: object = None) -> None:
            raise request.param

        monkeypatch.setattr(TriageDesk, "open", fail)
        yield

    @pytest.mark.parametrize("failure", [EndpointUnavailable("Nobody answers.")], indirect=True)
    def test_its_own_errors_are_their_message(self, failure: None, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["assess", NOTE]) == 1
        said = capsys.readouterr()
        assert said.err == "Nobody answers.\n"
        assert said.out.endswith("请人工分诊。\n")

    @pytest.mark.parametrize("failure", [ValueError(SECRET)], indirect=True)
    def test_what_nobody_expected_is_one_line_without_the_note(
        self, failure: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["assess", NOTE]) == 1
        said = capsys.readouterr().err
        assert said.startswith("Something unexpected happened (ValueError, ")
        assert (said.count("\n"), SECRET in said) == (1, False)

    @pytest.mark.parametrize("failure", [ValueError(SECRET)], indirect=True)
    def test_the_traceback_shows_when_asked_for(
        self, failure: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TRIAGE_DEBUG", "1")
        assert run(["assess", NOTE]) == 1
        assert "Traceback" in capsys.readouterr().err

    @pytest.mark.parametrize("failure", [KeyboardInterrupt()], indirect=True)
    def test_an_interruption_is_one_line(self, failure: None, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["assess", NOTE]) == 1
        assert capsys.readouterr().err.strip() == "Stopped. The same command can be given again."


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_drama(unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.cli", "--help"],
            stdout=writing, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
