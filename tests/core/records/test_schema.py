"""A database is brought to the newest tables, whatever made it, or left alone."""

import json
import multiprocessing
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select

from core.errors import RecordsError
from core.records import schema
from core.records.database import DatabaseRecords, open_records
from core.records.tables import audit, metadata
from core.records.verify import verify
from core.settings import REPOSITORY, Settings
from tests.core.records.conftest import some_assessment

# What the desk made before there were steps, to the letter.
BEFORE_STEPS = """
CREATE TABLE answers (
    id INTEGER NOT NULL, at VARCHAR(32) NOT NULL, person VARCHAR(200) NOT NULL, note_hash VARCHAR(128) NOT NULL,
    labels JSON NOT NULL, needs_review BOOLEAN NOT NULL, red_flags JSON NOT NULL, language VARCHAR(16) NOT NULL,
    model VARCHAR(400) NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_answers_note_hash ON answers (note_hash);
CREATE INDEX ix_answers_at ON answers (at);
CREATE TABLE decisions (
    id INTEGER NOT NULL, answer INTEGER NOT NULL, task VARCHAR(100) NOT NULL, given VARCHAR(200) NOT NULL,
    decided VARCHAR(200) NOT NULL, reason VARCHAR(40) NOT NULL, person VARCHAR(200) NOT NULL, at VARCHAR(32) NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(answer) REFERENCES answers (id)
);
CREATE INDEX ix_decisions_answer ON decisions (answer);
"""
ROWS_BEFORE = """
INSERT INTO answers VALUES (1, '2026-03-04T12:30:00.000000+00:00', 'nurse1', 'ab', '{"acuity": "3"}', 0, '[]', 'zh',
                            'small 1 e5');
INSERT INTO answers VALUES (2, '2026-03-04T12:31:00.000000+00:00', 'nurse2', 'cd', '{"acuity": "2"}', 1, '["a"]', 'en',
                            'small 1 e5');
INSERT INTO decisions VALUES (1, 2, 'acuity', '2', '1', 'other', 'nurse2', '2026-03-04T12:32:00.000000+00:00');
"""


def sql(settings: Settings, script: str) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    connection = sqlite3.connect(settings.data_dir / "records.sqlite")
    connection.executescript(script)
    connection.close()


def dump(settings: Settings) -> list[str]:
    connection = sqlite3.connect(settings.data_dir / "records.sqlite")
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_the_newest_step_is_the_last_file() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.STEPS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.NEWEST]


def test_the_steps_make_the_tables_that_the_code_knows(records: DatabaseRecords) -> None:
    records.tidy()
    with records._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_before_the_steps_is_taken_over_without_loss(settings: Settings) -> None:
    sql(settings, "PRAGMA journal_mode=WAL;" + BEFORE_STEPS + ROWS_BEFORE)
    records = open_records(settings)
    first, second = records.answers()
    assert (first.id, first.person, first.labels, first.decisions) == (1, "nurse1", {"acuity": "3"}, {})
    assert (second.red_flags, second.needs_review, second.label("acuity")) == (("a",), True, "1")
    with records.one_view() as connection:
        [taken] = connection.execute(select(audit)).all()
        assert (taken.kind, taken.person, json.loads(taken.facts)) == (
            "taken_over",
            "desk",
            {"answers": 2, "decisions": 1},
        )
        assert verify(connection, records.chain).breach is None
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert records.add(some_assessment(), person="nurse1", note_hash="") == 3
    records.decide(1, "acuity", "2", reason="other", person="nurse1")
    records.close()


def test_tables_that_were_made_by_half_are_completed(settings: Settings) -> None:
    sql(settings, BEFORE_STEPS.partition("CREATE TABLE decisions")[0])
    records = open_records(settings)
    number = records.add(some_assessment(), person="nurse1", note_hash="")
    records.decide(number, "acuity", "2", reason="", person="nurse1")
    records.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(settings: Settings, records: DatabaseRecords) -> None:
    records.add(some_assessment(), person="nurse1", note_hash="")
    records.close()
    sql(settings, "UPDATE alembic_version SET version_num = '9999'")
    before = dump(settings)
    newer = open_records(settings)
    for act in (newer.answers, newer.tidy):
        with pytest.raises(RecordsError) as caught:
            act()
        assert str(caught.value) == schema.NEWER
        assert "install" in schema.NEWER and "\n" not in schema.NEWER
    newer.close()
    assert dump(settings) == before


def test_another_program_s_table_of_versions_is_left_alone(settings: Settings) -> None:
    sql(settings, "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('abc')")
    records = open_records(settings)
    with pytest.raises(RecordsError, match="newer version"):
        records.answers()
    records.close()


def take_over(data_dir: Path) -> int:
    records = open_records(Settings(data_dir=data_dir, _env_file=None))
    number = records.add(some_assessment(), person="nurse1", note_hash="")
    records.close()
    return number


def test_several_processes_take_a_database_over_at_once(settings: Settings) -> None:
    sql(settings, BEFORE_STEPS + ROWS_BEFORE)
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert sorted(pool.map(take_over, [settings.data_dir] * 3)) == [3, 4, 5]
    records = open_records(settings)
    with records.one_view() as connection:
        kinds = connection.execute(select(audit.c.kind).order_by(audit.c.id)).scalars().all()
        assert verify(connection, records.chain).breach is None
    assert kinds == ["taken_over", *["assessment"] * 3]
    records.close()


def test_a_process_that_finds_the_tables_needs_no_alembic(settings: Settings, records: DatabaseRecords) -> None:
    records.tidy()
    code = (
        "import sys; from pathlib import Path; from core.settings import Settings\n"
        "from core.records.database import open_records\n"
        f"open_records(Settings(data_dir=Path({str(settings.data_dir)!r}), _env_file=None)).tidy()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_a_step_that_fails_leaves_the_database_as_it_was(settings: Settings) -> None:
    sql(settings, BEFORE_STEPS + ROWS_BEFORE + "CREATE TABLE kept_texts (mine TEXT);")
    before = dump(settings)
    records = open_records(settings)
    with pytest.raises(RecordsError):
        records.answers()
    records.close()
    assert dump(settings) == before
