import logging
import multiprocessing
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from core.errors import RecordsError
from core.notes import Assessment, ModelIdentity, TaskAnswer
from core.records import database, engine
from core.records.database import DatabaseRecords, open_records
from core.records.hashing import note_hash
from core.records.tables import decisions, metadata
from core.records.verify import verify
from core.settings import REPOSITORY, Settings
from tests.core.records.conftest import NOON, NOTE, records_with_clock


def test_an_answer_comes_back_as_it_was_recorded(records: DatabaseRecords, assessment: Assessment) -> None:
    before = datetime.now(UTC)
    number = records.add(assessment, person="nurse1", note_hash="ab" * 32)
    [found] = records.answers()
    assert found.id == number
    assert before <= found.at <= datetime.now(UTC)
    assert found.at.utcoffset() == timedelta(0)
    assert (found.person, found.language, found.model) == ("nurse1", "mixed", "small 1 e5-384")
    assert found.labels == {"acuity": "2", "department": "cardiology"}
    assert found.red_flags == ("chest_pain_sweating",)
    assert found.needs_review
    assert found.decisions == {}


def test_nothing_of_a_note_is_on_disk(records: DatabaseRecords, settings: Settings, assessment: Assessment) -> None:
    number = records.add(assessment, person="nurse1", note_hash=note_hash(NOTE, settings.data_dir))
    records.decide(number, "acuity", "1", reason="more_urgent_signs", person="nurse1")
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert any(b"chest_pain_sweating" in path.read_bytes() for path in files)
    for words in ("胸口", "冷汗", "crushing", "pain h", NOTE):
        assert not any(words.encode() in path.read_bytes() for path in files)


def test_an_accepted_answer_stands_and_an_override_counts(records: DatabaseRecords, assessment: Assessment) -> None:
    number = records.add(assessment, person="nurse1", note_hash="")
    accepted = records.decide(number, "department", "cardiology", reason="other", person="nurse1")
    changed = records.decide(number, "acuity", "1", reason="more_urgent_signs", person="nurse2")
    [found] = records.answers()
    assert found.decisions == {"department": accepted, "acuity": changed}
    assert (accepted.accepted, accepted.reason) == (True, "")
    assert (changed.accepted, changed.given, changed.decided, changed.person) == (False, "2", "1", "nurse2")
    assert found.label("acuity") == "1"


def test_the_last_decision_about_a_task_counts_and_the_desk_s_own_label_stays(
    records: DatabaseRecords, assessment: Assessment
) -> None:
    number = records.add(assessment, person="nurse1", note_hash="")
    records.decide(number, "acuity", "1", reason="more_urgent_signs", person="nurse1")
    last = records.decide(number, "acuity", "3", reason="known_patient", person="nurse1")
    assert records.answers()[0].decisions == {"acuity": last}
    assert last.given == "2"


def test_an_override_needs_a_reason_that_is_known(records: DatabaseRecords, assessment: Assessment) -> None:
    number = records.add(assessment, person="nurse1", note_hash="")
    for reason in ("", NOTE):
        with pytest.raises(ValueError, match="reasons") as caught:
            records.decide(number, "acuity", "1", reason=reason, person="nurse1")
        assert NOTE not in str(caught.value)
    with pytest.raises(ValueError, match="no such task"):
        records.decide(number, "condition", "injury", reason="other", person="nurse1")
    assert records.answers()[0].decisions == {}


def test_a_decision_about_an_answer_that_is_not_there_is_refused(records: DatabaseRecords) -> None:
    with pytest.raises(RecordsError, match="not in the records"):
        records.decide(7, "acuity", "1", reason="other", person="nurse1")


def test_the_database_itself_refuses_a_decision_without_answer(
    records: DatabaseRecords, assessment: Assessment
) -> None:
    records.add(assessment, person="nurse1", note_hash="")
    row = {"answer": 99, "task": "acuity", "given": "2", "decided": "1", "reason": "other", "person": "x", "at": NOON}
    with pytest.raises(IntegrityError), records._engine.begin() as connection:
        connection.execute(insert(decisions).values(row))


def test_answers_are_found_by_time_in_any_zone_and_by_person(settings: Settings, assessment: Assessment) -> None:
    moments = [NOON + timedelta(hours=hour) for hour in (2, 0, 1)]
    clock = iter([NOON, *moments])  # the first: when the audit log was begun
    records = records_with_clock(settings, lambda: next(clock))
    for person in ("b", "a", "b"):
        records.add(assessment, person=person, note_hash="")
    east = timezone(timedelta(hours=8))
    assert [note.at for note in records.answers()] == sorted(moments)
    since = records.answers(since=(NOON + timedelta(hours=1)).astimezone(east))
    assert [note.at for note in since] == sorted(moments)[1:]
    assert [note.at for note in records.answers(until=NOON + timedelta(hours=1))] == [NOON]
    assert [note.person for note in records.answers(person="a")] == ["a"]
    newest = records.answers(newest=1)
    assert [note.at for note in newest] == [max(moments)]
    assert records.answers(newest=len(moments) + 1) == records.answers()
    records.close()


def test_the_newest_answers_of_a_person_come_with_their_decisions(
    records: DatabaseRecords, assessment: Assessment
) -> None:
    numbers = [records.add(assessment, person=f"nurse{place % 2}", note_hash="") for place in range(6)]
    for number in numbers:
        records.decide(number, "acuity", "1", reason="other", person="nurse1")
    found = records.answers(person="nurse0", newest=2)
    assert [note.id for note in found] == [numbers[2], numbers[4]]
    assert [note.label("acuity") for note in found] == ["1", "1"]


def test_records_outlive_the_process_that_wrote_them(settings: Settings, assessment: Assessment) -> None:
    first = open_records(settings)
    number = first.add(assessment, person="nurse1", note_hash="")
    first.close()
    second = open_records(settings)
    assert [note.id for note in second.answers()] == [number]
    second.close()


def test_several_threads_lose_nothing(records: DatabaseRecords, assessment: Assessment) -> None:
    def work(place: int) -> None:
        number = records.add(assessment, person=f"nurse{place % 4}", note_hash="")
        records.decide(number, "acuity", "1", reason="other", person="x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(80)))
    found = records.answers()
    assert len({note.id for note in found}) == 80
    assert all(note.label("acuity") == "1" for note in found)


def record_some(data_dir: Path) -> None:
    records = open_records(Settings(data_dir=data_dir, _env_file=None))
    answer = Assessment(
        {"acuity": TaskAnswer("acuity", "3", (), ())}, (), False, (), (), "zh", ModelIdentity("a", "1", "e")
    )
    for _ in range(20):
        records.decide(records.add(answer, person="x", note_hash=""), "acuity", "3", reason="", person="x")
    records.close()


def test_several_processes_start_at_once_on_a_new_database_and_lose_nothing(
    settings: Settings, records: DatabaseRecords
) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(record_some, [settings.data_dir] * 3))
    found = records.answers()
    assert len(found) == 60
    assert all("acuity" in note.decisions for note in found)


def test_a_file_that_is_no_database_is_one_calm_line(
    settings: Settings, assessment: Assessment, caplog: pytest.LogCaptureFixture
) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "records.sqlite").write_text("not a database at all\n" * 100)
    records = open_records(settings)
    with caplog.at_level(logging.WARNING), pytest.raises(RecordsError) as caught:
        records.add(assessment, person="nurse1", note_hash="")
    assert str(caught.value) == database.CANNOT_WRITE
    assert str(settings.data_dir) not in caplog.text
    assert "DatabaseError" in caplog.text
    with pytest.raises(RecordsError, match="can't be read"):
        records.answers()
    records.close()


def test_a_folder_that_can_t_be_made_is_one_calm_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    records = open_records(Settings(data_dir=tmp_path / "file" / "data", _env_file=None))
    with pytest.raises(RecordsError) as caught:
        records.answers()
    assert str(caught.value) == engine.CANNOT_OPEN
    records.close()


def test_while_another_writer_holds_the_database_reading_works_and_writing_says_so(
    settings: Settings, assessment: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.05)
    records = open_records(settings)
    records.add(assessment, person="nurse1", note_hash="")
    other = sqlite3.connect(settings.data_dir / "records.sqlite")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordsError, match="not recorded"):
        records.add(assessment, person="nurse1", note_hash="")
    assert len(records.answers()) == 1
    other.close()
    records.add(assessment, person="nurse1", note_hash="")
    assert len(records.answers()) == 2
    records.close()


def test_what_others_wrote_into_the_file_is_one_calm_line(
    records: DatabaseRecords, settings: Settings, assessment: Assessment
) -> None:
    records.add(assessment, person="nurse1", note_hash="")
    other = sqlite3.connect(settings.data_dir / "records.sqlite")
    other.execute("UPDATE answers SET labels = '{broken'")
    other.commit()
    other.close()
    with pytest.raises(RecordsError, match="can't be read"):
        records.answers()


@pytest.mark.parametrize(
    "url",
    ["nonsense", "sqlite://", "sqlite:///:memory:", "nosuch://desk:s3cret@127.0.0.1/records"],
)
def test_a_url_that_names_no_database_is_refused_and_not_repeated(settings: Settings, url: str) -> None:
    with pytest.raises(RecordsError, match="TRIAGE_DATABASE_URL") as caught:
        open_records(Settings(data_dir=settings.data_dir, database_url=url, _env_file=None))
    assert "s3cret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_told_without_its_password(
    settings: Settings, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"postgresql+psycopg://desk:s3cret@127.0.0.1:{free_port}/records"
    with caplog.at_level(logging.DEBUG), pytest.raises(RecordsError) as caught:
        open_records(Settings(data_dir=settings.data_dir, database_url=url, _env_file=None)).answers()
    assert "s3cret" not in str(caught.value) + caplog.text
    assert "\n" not in str(caught.value)


def test_only_its_owner_can_read_the_file(records: DatabaseRecords, settings: Settings) -> None:
    records.answers()
    assert (settings.data_dir / "records.sqlite").stat().st_mode & 0o077 == 0


def test_the_tables_can_be_made_in_postgresql_and_keep_the_time_zone() -> None:
    made = [str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables]
    assert all("TIMESTAMP WITH TIME ZONE" in statement for statement in made)


def test_a_time_without_zone_is_never_recorded(settings: Settings, assessment: Assessment) -> None:
    records = records_with_clock(settings, lambda: datetime(2026, 3, 4))
    with pytest.raises(RecordsError, match="not recorded"):
        records.add(assessment, person="nurse1", note_hash="")
    records.close()


def test_a_full_disk_is_one_calm_line_and_loses_nothing_recorded(tmp_path: Path, assessment: Assessment) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        records = open_records(Settings(data_dir=disk / "data", _env_file=None))
        acknowledged = []
        with pytest.raises(RecordsError, match="not recorded"):
            for _ in range(2000):
                acknowledged.append(records.add(assessment, person="nurse1", note_hash="ab" * 32))
        assert len(acknowledged) > 10
        assert [note.id for note in records.answers()] == acknowledged
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        acknowledged.append(records.add(assessment, person="nurse1", note_hash="ab" * 32))
        assert [note.id for note in records.answers()] == acknowledged
        with records.one_view() as connection:
            found = verify(connection, records.chain)
        assert (found.rows, found.breach) == (len(acknowledged), None)
        records.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_log(settings: Settings, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from core.records.database import open_records; from core.settings import Settings\n"
        "from tests.core.records.conftest import some_assessment\n"
        f"records = open_records(Settings(data_dir=Path({str(settings.data_dir)!r}), _env_file=None))\n"
        "while True:\n    print(records.add(some_assessment(), person='x', note_hash=''), flush=True)\n"
    )
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(40)]
        child.kill()
        said += child.communicate()[0].splitlines()
        records = open_records(settings)
        with records.one_view() as connection:
            found = verify(connection, records.chain)
        assert found.breach is None
        assert found.rows == len(records.answers()) >= int([line for line in said if line.strip()][-1])
        records.close()
