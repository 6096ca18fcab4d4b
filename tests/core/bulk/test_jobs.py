"""Uploaded tables: kept for their owner alone, classified by a process that outlives the page, once each."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.bulk import job_run
from core.bulk.classify import classify_table
from core.bulk.columns import Columns
from core.bulk.job_process import ProgressWriter
from core.bulk.job_run import delete, delete_expired, export, progress_of, resume_interrupted, start, state_of, stop
from core.bulk.jobs import UPLOAD_LIMIT, Choice, Job, Jobs, displayed_name
from core.bulk.outcome import Outcome
from core.errors import TableError
from core.model.bundle import Bundle
from core.settings import REPOSITORY
from core.triage import TriageDesk

NOTES = ("胸口压着痛半小时，出冷汗", "牙疼三天，脸肿了", "itchy rash on both arms", "", "我最近总是睡不着，很焦虑")


def csv_of(rows: int) -> bytes:
    """Notes that differ, so that none comes out of a cache; every fifth is empty."""
    lines = [f"{number},{NOTES[number % len(NOTES)]}{number if number % 5 != 3 else ''}" for number in range(rows)]
    return "\n".join(["id,主诉", *lines]).encode("gb18030")


def until(happens: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def jobs(
    fresh_installation: Path, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Jobs]:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    found = Jobs(fresh_installation / "data", "lead")
    yield found
    for job in found.all():
        stop(job)


def created(jobs: Jobs, rows: int, name: str = "notes.csv") -> Job:
    job = jobs.create(name, io.BytesIO(csv_of(rows)))
    return job.chosen(Choice(Columns("主诉", None, None)))


def test_an_upload_is_kept_for_its_owner_alone_and_looked_at(jobs: Jobs, fresh_installation: Path) -> None:
    job = jobs.create("夜班.csv", io.BytesIO(csv_of(7)))
    assert stat.S_IMODE(job.folder.stat().st_mode) == 0o700
    assert (job.look.rows, job.look.text, job.look.encoding) == (7, "主诉", "GB18030 (GBK)")
    assert job.look.preview[0] == ("0", NOTES[0] + "0")
    assert jobs.all() == [job] == [jobs.find(job.id)]
    other = Jobs(fresh_installation / "data", "somebody else")
    assert other.all() == []
    assert other.find(job.id) is None


@pytest.mark.parametrize("id_", [None, "", "../../etc", "0" * 31, "0" * 32, "z" * 32])
def test_an_id_that_is_none_finds_nothing(jobs: Jobs, id_: str | None) -> None:
    assert jobs.find(id_) is None


def test_a_table_is_classified_as_the_command_does_it(jobs: Jobs, tmp_path: Path) -> None:
    job = created(jobs, 40)
    assert state_of(job) == "new"
    assert start(job)
    until(lambda: state_of(job) == "done")
    progress = progress_of(job)
    assert progress is not None
    assert (progress.phase, progress.done, progress.share) == ("done", 40, 1.0)
    summary = Outcome.read(job).summary
    assert (summary.rows, summary.errors) == (40, 8)  # every fifth note is empty

    with TriageDesk.open() as desk:
        for suffix in (".csv", ".xlsx", ".parquet"):
            classify_table(job.upload, tmp_path / f"by_command{suffix}", desk)
    by_command = (tmp_path / "by_command.csv").read_bytes()
    assert export(job, ".csv").read_bytes() == b"\xef\xbb\xbf" + by_command
    assert pq.read_table(export(job, ".parquet")).equals(pq.read_table(tmp_path / "by_command.parquet"))
    sheets = pd.read_excel(export(job, ".xlsx"), sheet_name=None, engine="calamine")
    by_command_too = pd.read_excel(tmp_path / "by_command.xlsx", sheet_name=None, engine="calamine")
    pd.testing.assert_frame_equal(sheets["triage"], by_command_too["triage"])
    assert sheets["summary"].iloc[0].tolist()[:3] == ["All", "全部", 40]


def test_a_run_starts_once_however_often_it_is_asked_for(jobs: Jobs) -> None:
    job = created(jobs, 300)
    assert [start(job), start(job), start(job)] == [True, False, False]
    until(lambda: state_of(job) == "done")
    assert not start(job)


def test_a_stopped_run_goes_on_with_what_it_had(jobs: Jobs) -> None:
    job = created(jobs, 1500)
    start(job)
    parts = job.result.with_name("result.parquet.parts")
    until(lambda: any(parts.glob("0*.parquet")), 120)
    stop(job)
    assert state_of(job) == "stopped"
    assert not job.result.exists()
    start(job)
    until(lambda: state_of(job) == "done", 180)
    outcome = Outcome.read(job)
    assert outcome.reused_rows >= 500
    assert outcome.summary.rows == 1500


def test_a_killed_run_is_told_from_a_stopped_one(jobs: Jobs) -> None:
    job = created(jobs, 3000)
    start(job)
    until(lambda: progress_of(job) is not None)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    until(lambda: state_of(job) != "running")
    assert state_of(job) == "interrupted"


def test_a_run_outlives_the_server_that_started_it(jobs: Jobs) -> None:
    job = created(jobs, 1500)
    server = (
        "import os, signal, sys; from pathlib import Path; from core.bulk.job_run import start; "
        "from core.bulk.jobs import Job; assert start(Job.read(Path(sys.argv[1]))); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", server, str(job.folder)], cwd=REPOSITORY, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert state_of(job) == "running"
    until(lambda: state_of(job) == "done", 180)
    assert Outcome.read(job).summary.rows == 1500


def test_the_next_server_goes_on_with_a_run_that_ended_with_its_machine(jobs: Jobs, fresh_installation: Path) -> None:
    job, stopped, new = created(jobs, 1500), created(jobs, 1500), created(jobs, 5)
    for each in (job, stopped):
        start(each)
        until(lambda each=each: (now := progress_of(each)) is not None and now.phase == "running")  # type: ignore[misc]
    stop(stopped)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    until(lambda: state_of(job) == "interrupted")
    assert resume_interrupted(fresh_installation / "data") == 1
    assert [state_of(each) for each in (job, stopped, new)] == ["running", "stopped", "new"]
    until(lambda: state_of(job) == "done", 180)


def test_one_person_s_tables_leave_room_for_another_s(jobs: Jobs, fresh_installation: Path) -> None:
    for _ in range(job_run.RUNS_A_PERSON):
        start(created(jobs, 3000))
    third = created(jobs, 5)
    with pytest.raises(TableError, match=r"2 of your tables are being classified now.*This one is kept"):
        start(third)
    other = Jobs(fresh_installation / "data", "another lead")
    theirs = created(other, 5)
    try:
        assert start(theirs)
    finally:
        stop(theirs)


def test_an_endpoint_that_is_not_there_is_said_and_the_table_stays(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_URL", f"http://127.0.0.1:{free_port}/v1")
    monkeypatch.setenv("TRIAGE_EMBEDDING_MODEL", "multilingual-e5-small-q4")
    monkeypatch.setattr(job_run, "_command", lambda job: [*_command_without_patience(), str(job.folder)])
    job = created(jobs, 5)
    start(job)
    until(lambda: state_of(job) == "failed")
    progress = progress_of(job)
    assert progress is not None
    assert progress.trouble == "EndpointUnavailable"
    assert str(job.folder) not in progress.message
    monkeypatch.undo()
    assert job.upload.exists()


def _command_without_patience() -> list[str]:
    patch = "import core.bulk.classify as c, sys; c.classify_table.__kwdefaults__['patience'] = 0.1; "
    return [sys.executable, "-c", patch + "from core.bulk.job_process import main; sys.exit(main())"]


def test_deleted_is_gone_even_while_it_runs(jobs: Jobs) -> None:
    job = created(jobs, 3000)
    start(job)
    delete(job)
    assert not job.folder.exists()
    assert jobs.find(job.id) is None
    with pytest.raises(TableError, match="no longer here"):
        start(job)


def test_more_runs_than_fit_wait(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_run, "RUNS_AT_ONCE", 1)
    first, second = created(jobs, 3000), created(jobs, 5)
    start(first)
    with pytest.raises(TableError, match="Yours is kept"):
        start(second)
    stop(first)
    assert start(second)
    until(lambda: state_of(second) == "done")


def test_a_table_nobody_used_for_a_week_is_deleted(jobs: Jobs, fresh_installation: Path) -> None:
    old, new = created(jobs, 5), created(jobs, 5)
    long_ago = time.time() - 8 * 86_400
    for path in (*old.folder.iterdir(), old.folder):
        os.utime(path, (long_ago, long_ago))
    assert delete_expired(fresh_installation / "data") == 1
    assert [job.id for job in jobs.all()] == [new.id]


def test_nothing_stays_of_what_is_refused(
    jobs: Jobs, fresh_installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.bulk.jobs.UPLOAD_LIMIT", 1)
    for name, content, said in (
        ("photo.csv", b"\x89PNG\r\n\x1a\n\0\0", "photo.csv is a picture"),
        ("large.csv", b"x" * (1 << 20) + b"x", "larger than 1 MB"),
        ("notes.docx", b"x", "no kind of table"),
        ("empty.csv", b"text\n", "no rows"),
    ):
        with pytest.raises(TableError, match=said) as refused:
            jobs.create(name, io.BytesIO(content))
        assert "upload." not in str(refused.value)
        assert str(fresh_installation) not in str(refused.value)
    assert list((fresh_installation / "data" / "jobs").glob("*")) == []


def test_the_browser_refuses_what_the_desk_refuses() -> None:
    import tomllib

    from core.settings import REPOSITORY

    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == UPLOAD_LIMIT


@pytest.mark.parametrize(
    ("given", "shown"),
    [("夜班.csv", "夜班.csv"), ("../../a.csv", "a.csv"), ("C:\\x\\a.csv", "a.csv"), ("a\nb.csv", "a_b.csv"),
     ("", "table"), ("x" * 300 + ".xlsx", "x" * 114 + "….xlsx")],
)  # fmt: skip
def test_a_file_name_is_shown_without_folders(given: str, shown: str) -> None:
    assert displayed_name(given) == shown


def test_the_rate_is_of_rows_done_now(jobs: Jobs) -> None:
    moments = iter([0.0, 1.0, 2.0, 3.0])
    writer = ProgressWriter(created(jobs, 1000), 1000, 400, lambda: next(moments))
    writer.advance(400)
    assert writer.now.rate == 0
    writer.advance(100)
    assert writer.now.rate == 50
    assert writer.now.seconds_left == 10
    writer.advance(500)
    assert writer.now.seconds_left == 0
