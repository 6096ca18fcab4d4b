"""The records on a real PostgreSQL server: the same as on SQLite, for several desks at once."""

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from core.errors import RecordsError
from core.records import engine, schema
from core.records.acts import Act
from core.records.database import DatabaseRecords, now, open_records
from core.records.sign_ins import SignIns
from core.records.tables import audit, metadata
from core.records.verify import Breach, verify
from core.settings import Settings
from tests.core.records.conftest import NOTE, some_assessment
from tests.core.records.postgresql import binaries, server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here: apt-get install postgresql"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server() as found:
        yield found


@pytest.fixture
def site(url: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings for an empty database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    yield settings_for(url, tmp_path / "data")


def settings_for(url: str, data_dir: Path) -> Settings:
    key = "A" * 43 + "="  # any key, the same in each process
    return Settings(data_dir=data_dir, database_url=url, keep_texts_days=30, texts_key=key, _env_file=None)


@pytest.fixture
def records(site: Settings) -> Iterator[DatabaseRecords]:
    opened = open_records(site)
    yield opened
    opened.close()


@pytest.fixture
def admin(url: str) -> Iterator[Engine]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def rows_and_breach(records: DatabaseRecords) -> tuple[int, Breach | None]:
    with records.one_view() as connection:
        found = verify(connection, records.chain)
    return found.rows, found.breach


def test_answers_decisions_and_their_log_come_back(records: DatabaseRecords) -> None:
    number = records.add(some_assessment(), person="护士1", note_hash="ab")
    decision = records.decide(number, "acuity", "1", reason="other", person="nurse2")
    records.note(Act.SIGN_OUT, "护士1", {})
    records.keep_text(number, NOTE)
    [found] = records.answers()
    assert (found.id, found.person, found.decisions) == (number, "护士1", {"acuity": decision})
    assert records.kept_texts() == {number: NOTE}
    assert rows_and_breach(records) == (3, None)
    with records.one_view() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        facts = connection.execute(select(audit.c.facts)).scalars().first()
    assert json.loads(str(facts))["labels"]["acuity"] == "2"


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit SET person = 'x'", "DELETE FROM audit WHERE id = 2", "TRUNCATE audit", "DELETE FROM audit_head",
     "TRUNCATE audit_head"],
)  # fmt: skip
def test_the_server_refuses_changes_to_the_log(records: DatabaseRecords, admin: Engine, change: str) -> None:
    for _ in range(3):
        records.note(Act.EXPORT, "x", {})
    with admin.connect() as connection, pytest.raises(DBAPIError, match="only grows"):
        connection.execute(text(change))
    assert rows_and_breach(records) == (3, None)


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE id = 4", Breach("changed", 4)),
        ("UPDATE audit SET note_hash = 'x' WHERE id = 1", Breach("changed", 1)),
        ("DELETE FROM audit WHERE id = 1", Breach("missing", 1)),
        ("DELETE FROM audit WHERE id = 6", Breach("missing", 6)),
        ("UPDATE audit SET id = 7 WHERE id = 6", Breach("missing", 6)),
        ("INSERT INTO audit SELECT 7, at, person, kind, note_hash, facts, previous, hash FROM audit WHERE id = 3",
         Breach("order", 7)),
        ("UPDATE audit_head SET rows = 5", Breach("head", 6)),
    ],
)  # fmt: skip
def test_what_an_administrator_changes_is_found(
    records: DatabaseRecords, admin: Engine, change: str, breach: Breach
) -> None:
    for _ in range(6):
        records.note(Act.EXPORT, "x", {})
    with admin.connect() as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text(change))
    assert rows_and_breach(records)[1] == breach


def work(settings: tuple[str, Path]) -> None:
    records = open_records(settings_for(*settings))

    def one(place: int) -> None:
        number = records.add(some_assessment(), person=f"nurse{place}", note_hash="")
        records.decide(number, "acuity", "1", reason="other", person="x")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(20)))
    records.close()


def test_several_processes_start_at_once_and_never_fork_the_chain(site: Settings, url: str) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(work, [(url, site.data_dir)] * 3))
    records = open_records(site)
    assert rows_and_breach(records) == (120, None)
    assert len(records.answers()) == 60
    records.close()


def test_a_writer_that_never_ends_holds_up_nobody_for_long(
    records: DatabaseRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = records.add(some_assessment(), person="nurse1", note_hash="")
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.3)
    with records._engine.begin() as frozen:
        frozen.execute(text("SELECT * FROM audit_head FOR UPDATE"))
        with pytest.raises(RecordsError, match="not recorded"):
            records.add(some_assessment(), person="nurse1", note_hash="")
        assert [note.id for note in records.answers()] == [number]  # reading goes on
    assert records.add(some_assessment(), person="nurse1", note_hash="") > number


def test_a_desk_with_another_secret_is_refused(records: DatabaseRecords, url: str, tmp_path: Path) -> None:
    records.note(Act.EXPORT, "x", {})
    other = open_records(settings_for(url, tmp_path / "other"))
    with pytest.raises(RecordsError, match="another secret"):
        other.note(Act.EXPORT, "x", {})
    other.close()


def test_a_newer_database_is_refused(records: DatabaseRecords, site: Settings, admin: Engine) -> None:
    records.tidy()
    with admin.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer = open_records(site)
    with pytest.raises(RecordsError) as caught:
        newer.answers()
    assert str(caught.value) == schema.NEWER
    newer.close()


def test_tables_of_before_the_steps_are_taken_over(site: Settings, admin: Engine) -> None:
    older = [table for table in metadata.sorted_tables if table.name in ("answers", "decisions")]
    metadata.create_all(admin, tables=older)
    with admin.connect() as connection:
        connection.execute(
            text(
                "INSERT INTO answers (at, person, note_hash, labels, needs_review, red_flags, language, model) "
                "VALUES (now(), 'nurse1', 'ab', '{\"acuity\": \"3\"}', false, '[]', 'zh', 'm')"
            )
        )
    records = open_records(site)
    assert [note.person for note in records.answers()] == ["nurse1"]
    assert rows_and_breach(records) == (1, None)
    records.close()


def test_a_sign_in_with_one_desk_is_known_to_another_and_ends_there_too(site: Settings) -> None:
    with closing(open_records(site)) as first, closing(open_records(site)) as second:
        here, there = (SignIns(lambda each=each: each, b"k" * 32, timedelta(minutes=15)) for each in (first, second))
        id_ = here.begin("nurse1", {"nurse"}, now() + timedelta(hours=1))
        here.seen(id_)
        found = there.find(id_)
        assert found is not None
        assert (found.person, found.ended) == ("nurse1", None)
        assert there.end_all("nurse1") == 1
        ended = here.find(id_)
        assert ended is not None
        assert ended.ended == "everywhere"
