"""What stands in the audit log, and that nothing else can be made of it."""

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from core.errors import RecordsError
from core.notes import Assessment
from core.records import chain
from core.records.acts import Act
from core.records.chain import audit_key, facts_text
from core.records.database import DatabaseRecords, open_records
from core.records.hashing import note_hash
from core.records.tables import audit
from core.records.verify import Verdict, verify
from core.settings import Settings
from tests.core.records.conftest import NOON, NOTE, records_with_clock, some_assessment


def rows_of(records: DatabaseRecords) -> list[Any]:
    with records.one_view() as connection:
        return list(connection.execute(select(audit).order_by(audit.c.id)).all())


def verdict_of(records: DatabaseRecords) -> Verdict:
    with records.one_view() as connection:
        return verify(connection, records.chain)


def test_an_answer_and_each_decision_have_a_row_with_their_facts(
    records: DatabaseRecords, settings: Settings, assessment: Assessment
) -> None:
    name = note_hash(NOTE, settings.data_dir)
    number = records.add(assessment, person="nurse1", note_hash=name)
    records.decide(number, "department", "cardiology", reason="other", person="nurse1")
    records.decide(number, "acuity", "1", reason="more_urgent_signs", person="nurse2")
    answered, accepted, overridden = rows_of(records)
    assert (answered.id, answered.kind, answered.person, answered.note_hash) == (1, "assessment", "nurse1", name)
    assert answered.at == records.answers()[0].at
    assert json.loads(answered.facts) == {
        "answer": number,
        "labels": {"acuity": "2", "department": "cardiology"},
        "needs_review": True,
        "reasons": ["red flag"],
        "red_flags": ["chest_pain_sweating"],
        "warnings": [],
        "language": "mixed",
        "bundle": "small",
        "version": "1",
        "space": "e5-384",
    }
    assert (accepted.kind, accepted.note_hash) == ("acceptance", name)
    assert (overridden.kind, overridden.person, overridden.note_hash) == ("override", "nurse2", name)
    assert json.loads(overridden.facts) == {
        "answer": number, "task": "acuity", "given": "2", "decided": "1", "reason": "more_urgent_signs"
    }  # fmt: skip
    assert [row.previous for row in (accepted, overridden)] == [answered.hash, accepted.hash]
    assert verdict_of(records).breach is None


@pytest.mark.parametrize("act", Act)
def test_every_kind_of_act_can_be_noted(records: DatabaseRecords, act: Act) -> None:
    records.note(act, "nurse1", {"job": "ab" * 16, "rows": 3, "before": None, "list": ["a", {"b": True}]})
    [row] = rows_of(records)
    assert (row.kind, row.note_hash) == (act.value, None)
    assert verdict_of(records) == Verdict(1, row.at.isoformat(timespec="microseconds"), None)


@pytest.mark.parametrize("facts", [{"words": NOTE * 30}, {"list": [NOTE * 30]}, {NOTE * 30: 1}, {"thing": object()}])
def test_what_can_be_no_code_is_not_noted(records: DatabaseRecords, facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fact"):
        facts_text(facts)
    with pytest.raises(RecordsError, match="not recorded") as caught:
        records.note(Act.EXPORT, "nurse1", facts)
    assert NOTE not in str(caught.value)
    assert rows_of(records) == []


def test_an_answer_that_the_log_can_t_take_is_not_recorded_either(
    records: DatabaseRecords, assessment: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = records.add(assessment, person="nurse1", note_hash="")

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(chain.Chain, "add", fail)
    with pytest.raises(RecordsError, match="not recorded"):
        records.add(assessment, person="nurse1", note_hash="")
    with pytest.raises(RecordsError, match="not recorded"):
        records.decide(number, "acuity", "1", reason="other", person="nurse1")
    [kept] = records.answers()
    assert (kept.id, kept.decisions, len(rows_of(records))) == (number, {}, 1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET person = 'nobody' WHERE id = 1",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "REPLACE INTO audit SELECT id, at, 'nobody', kind, note_hash, facts, previous, hash FROM audit WHERE id = 1",
    ],
)
def test_the_database_refuses_changes_to_the_log(records: DatabaseRecords, settings: Settings, change: str) -> None:
    for _ in range(2):
        records.note(Act.EXPORT, "nurse1", {})
    other = sqlite3.connect(settings.data_dir / "records.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        other.execute(change)
    other.close()
    assert verdict_of(records).rows == 2


def test_a_clock_that_runs_backwards_disturbs_nothing_and_is_noticed(settings: Settings) -> None:
    hours = iter([0, 5, 6, 2, 3, 1, 7])
    records = records_with_clock(settings, lambda: NOON + timedelta(hours=next(hours)))
    for _ in range(6):
        records.note(Act.EXPORT, "nurse1", {})
    found = verdict_of(records)
    assert (found.breach, found.rows, found.clock_back, found.first_back) == (None, 6, 2, 3)
    assert found.last_at == "2026-03-04T19:30:00.000000+00:00"
    assert [row.at.hour for row in rows_of(records)] == [17, 18, 14, 15, 13, 19]
    records.close()


def work(data_dir: Path, acts: int) -> None:
    records = open_records(Settings(data_dir=data_dir, _env_file=None))

    def one(place: int) -> None:
        number = records.add(some_assessment(), person=f"nurse{place}", note_hash="")
        records.decide(number, "acuity", "1", reason="other", person="x")
        records.note(Act.EXPORT, "x", {"rows": place})

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(acts)))
    records.close()


def test_several_processes_with_threads_never_fork_the_chain(settings: Settings, records: DatabaseRecords) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(work, [settings.data_dir] * 3, [15] * 3))
    found = verdict_of(records)
    assert (found.breach, found.rows, found.clock_back) == (None, 3 * 15 * 3, 0)
    assert len(records.answers()) == 45


def test_a_log_of_another_installation_is_not_continued(settings: Settings, records: DatabaseRecords) -> None:
    records.note(Act.EXPORT, "nurse1", {})
    (settings.data_dir / "cache-secret").unlink()
    other = open_records(settings)
    with pytest.raises(RecordsError, match=r"another secret.*cache-secret"):
        other.note(Act.EXPORT, "nurse1", {})
    with pytest.raises(RecordsError, match="another secret"):
        verdict_of(other)
    other.close()
    assert verdict_of(records).rows == 1


def test_a_secret_that_can_t_be_kept_seals_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match="can't be kept in TRIAGE_DATA_DIR"):
        audit_key(tmp_path / "file")


@pytest.mark.parametrize("change", ["UPDATE audit_head SET rows = 0", "UPDATE audit_head SET last_id = 9"])
def test_after_a_changed_head_nothing_is_recorded(records: DatabaseRecords, settings: Settings, change: str) -> None:
    records.note(Act.EXPORT, "nurse1", {})
    other = sqlite3.connect(settings.data_dir / "records.sqlite")
    other.execute(change)
    other.commit()
    other.close()
    with pytest.raises(RecordsError, match="triage audit verify"):
        records.note(Act.EXPORT, "nurse1", {})
    assert len(rows_of(records)) == 1


def test_two_rows_can_t_have_one_number(records: DatabaseRecords) -> None:
    records.note(Act.EXPORT, "nurse1", {})
    [row] = rows_of(records)
    with pytest.raises((IntegrityError, OperationalError)), records._engine.begin() as connection:
        connection.execute(audit.insert().values(row._mapping))


def test_a_seal_covers_every_field_and_needs_the_key(settings: Settings) -> None:
    seal = chain.Chain(audit_key(settings.data_dir)).seal
    row: dict[str, object] = {
        "id": 1, "at": NOON, "person": "a", "kind": "export", "note_hash": None, "facts": "{}", "previous": ""
    }  # fmt: skip
    changed = [seal({**row, name: "z"}) for name in row]
    assert len({seal(row), *changed, chain.Chain(bytes(32)).seal(row)}) == len(row) + 2
    assert seal({**row, "at": "2026-03-04T12:30:00.000000+00:00", "hash": "x"}) == seal(row)


def test_a_time_without_zone_is_sealed_nowhere() -> None:
    with pytest.raises(ValueError, match="time zone"):
        chain.time_text(datetime(2026, 3, 4))


def test_the_words_of_a_note_are_nowhere_in_the_log(
    records: DatabaseRecords, settings: Settings, assessment: Assessment, answered: Callable[..., object]
) -> None:
    records.add(assessment, person="nurse1", note_hash=note_hash(NOTE, settings.data_dir))
    assert not any(words in str(rows_of(records)) for words in ("胸口", "crushing", NOTE))
