"""A database of its own for each test, a clock that can be set, and answers to record."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.notes import Assessment, Evidence, ModelIdentity, RedFlagHit, TaskAnswer
from core.records.chain import audit_key
from core.records.database import DatabaseRecords, open_records
from core.records.engine import open_engine
from core.records.records import AnsweredNote, Decision
from core.settings import Settings

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
NOTE = "胸口压着痛半小时，出冷汗 crushing chest pain"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", _env_file=None)


@pytest.fixture
def records(settings: Settings) -> Iterator[DatabaseRecords]:
    opened = open_records(settings)
    assert isinstance(opened, DatabaseRecords)
    yield opened
    opened.close()


def records_with_clock(settings: Settings, clock: Callable[[], datetime]) -> DatabaseRecords:
    """Records that take their time from `clock`; its first moment is that of the log's beginning."""
    return DatabaseRecords(
        open_engine(settings.effective_database_url), clock, key=lambda: audit_key(settings.data_dir)
    )


@pytest.fixture
def assessment() -> Assessment:
    """See `some_assessment`."""
    return some_assessment()


def some_assessment() -> Assessment:
    """An answer with a red flag, whose evidence holds words of the note."""
    tasks = {
        "acuity": TaskAnswer("acuity", "2", (), ("2",), 2),
        "department": TaskAnswer("department", "cardiology", (), ()),
    }
    flag = RedFlagHit("chest_pain_sweating", 2, (Evidence(0, len(NOTE), NOTE),), "a guideline")
    return Assessment(tasks, (flag,), True, ("red flag",), (), "mixed", ModelIdentity("small", "1", "e5-384"))


@pytest.fixture
def answered() -> Callable[..., AnsweredNote]:
    """Makes an answered note: labels by keyword, decisions as task=label."""

    def make(
        at: datetime = NOON, *, decided: dict[str, str] | None = None, needs_review: bool = False, **labels: str
    ) -> AnsweredNote:
        decisions = {
            task: Decision(task, labels[task], label, "" if label == labels[task] else "other", "nurse", at)
            for task, label in (decided or {}).items()
        }
        return AnsweredNote(1, at, "nurse", labels, needs_review, (), "zh", "small 1 e5", decisions)

    return make
