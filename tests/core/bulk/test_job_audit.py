"""The audit log has each run of an uploaded table: its start, its end, and never a word or a name of the table."""

import io
import json
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from core.bulk.columns import Columns
from core.bulk.job_run import progress_of, start, state_of
from core.bulk.jobs import Choice, Job, Jobs
from core.records.database import open_records
from core.records.tables import audit
from core.settings import load_settings


@pytest.fixture
def job(fresh_installation: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A table of two rows whose run fails at once, as there is no model."""
    monkeypatch.setenv("TRIAGE_MODEL", "/no/such/bundle")
    made = Jobs(fresh_installation / "data", "lead").create("夜班.csv", io.BytesIO("主诉\n胸痛\n牙疼\n".encode()))
    return made.chosen(Choice(Columns("主诉", None, None)))


def ended(job: Job) -> None:
    start(job)
    end = time.monotonic() + 60
    while state_of(job) == "running":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_is_in_the_log_from_its_start_to_its_end(job: Job) -> None:
    ended(job)
    records = open_records(load_settings())
    with records.one_view() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    records.close()
    assert [(row.kind, row.person, json.loads(row.facts)) for row in rows] == [
        ("run_started", "lead", {"job": job.id, "rows": 2, "kept": 0}),
        ("run_finished", "lead", {"job": job.id, "rows": 2, "done": 0, "end": "failed", "trouble": "BundleError"}),
    ]
    assert not any(words in str(rows) for words in ("夜班", "主诉", "胸痛"))


def test_a_run_goes_on_where_the_log_can_t_be_written(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", "nonsense")
    ended(job)
    progress = progress_of(job)
    assert progress is not None
    assert (progress.phase, progress.trouble) == ("failed", "BundleError")
