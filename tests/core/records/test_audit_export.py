"""The audit log as a file that can be checked without the desk."""

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.errors import RecordsError
from core.files import put_once
from core.notes import Assessment
from core.records import audit_export
from core.records.acts import Act
from core.records.audit_export import check_export, export_audit
from core.records.database import DatabaseRecords
from core.records.signing import PRIVATE, PUBLIC, read_public_key, signing_key
from core.records.tables import audit
from core.settings import Settings
from tests.core.records.conftest import NOON, records_with_clock


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def exported(records: DatabaseRecords, settings: Settings, assessment: Assessment, tmp_path: Path) -> Path:
    """A file with three rows."""
    number = records.add(assessment, person="护士1", note_hash="ab")
    records.decide(number, "acuity", "1", reason="other", person="护士1")
    records.note(Act.EXPORT, "lead", {"rows": 1})
    path = tmp_path / "audit.jsonl"
    export_audit(records, path, data_dir=settings.data_dir, person="auditor")
    return path


def test_a_row_is_a_line_and_the_last_line_signs_them(
    exported: Path, records: DatabaseRecords, settings: Settings
) -> None:
    *rows, last = lines_of(exported)
    with records.one_view() as connection:
        kept = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [(row["id"], row["kind"], row["hash"]) for row in rows] == [(row.id, row.kind, row.hash) for row in kept[:3]]
    assert rows[0]["person"] == "护士1"
    assert rows[0]["facts"]["labels"] == {"acuity": "2", "department": "cardiology"}
    assert rows[0]["at"] == kept[0].at.isoformat(timespec="microseconds")
    assert (last["signed"]["rows"], last["signed"]["chain"]) == (3, "whole")
    found = check_export(exported, read_public_key(settings.data_dir / PUBLIC))
    assert (found.rows, found.since, found.until, found.chain) == (3, None, None, "whole")


def test_the_export_is_in_the_log_itself(exported: Path, records: DatabaseRecords) -> None:
    with records.one_view() as connection:
        last = connection.execute(select(audit).order_by(audit.c.id.desc())).first()
    assert last is not None
    assert (last.kind, last.person) == ("audit_exported", "auditor")
    facts = json.loads(last.facts)
    assert facts == {name: lines_of(exported)[-1]["signed"][name] for name in facts}
    assert facts["rows"] == 3


def test_an_export_that_can_t_be_logged_is_not_made(
    records: DatabaseRecords, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecordsError("not recorded")

    monkeypatch.setattr(DatabaseRecords, "note", fail)
    with pytest.raises(RecordsError, match="not recorded"):
        export_audit(records, tmp_path / "audit.jsonl", data_dir=settings.data_dir, person="auditor")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_time_span_takes_what_lies_in_it(settings: Settings, tmp_path: Path) -> None:
    hours = iter([0, *range(5), 9])
    records = records_with_clock(settings, lambda: NOON + timedelta(hours=next(hours)))
    for _ in range(5):
        records.note(Act.EXPORT, "x", {})
    path = tmp_path / "audit.jsonl"
    since, until = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    done = export_audit(records, path, data_dir=settings.data_dir, person="x", since=since, until=until)
    assert (done.rows, done.verdict.rows) == (2, 5)
    assert [row["id"] for row in lines_of(path)[:-1]] == [2, 3]
    found = check_export(path, read_public_key(settings.data_dir / PUBLIC))
    assert (found.since, found.until) == ("2026-03-04T13:30:00.000000+00:00", "2026-03-04T15:30:00.000000+00:00")
    records.close()


def test_every_changed_byte_of_a_file_is_found(exported: Path, settings: Settings, tmp_path: Path) -> None:
    key = read_public_key(settings.data_dir / PUBLIC)
    whole, changed = exported.read_bytes(), tmp_path / "changed.jsonl"
    end = whole.rindex(b'"signed"')
    for place in [*range(0, end, 13), *range(end, len(whole) - 1, 5)]:
        flipped = bytearray(whole)
        flipped[place] ^= 1
        changed.write_bytes(flipped)
        with pytest.raises(RecordsError, match=r"changed|signature|another key"):
            check_export(changed, key)


@pytest.mark.parametrize("take", [slice(1, None), slice(None, -1), slice(0, 0), slice(-1, None)])
def test_a_file_without_its_first_or_last_lines_is_found(
    exported: Path, settings: Settings, tmp_path: Path, take: slice
) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(exported.read_bytes().splitlines(keepends=True)[take]))
    with pytest.raises(RecordsError, match="cut"):
        check_export(cut, read_public_key(settings.data_dir / PUBLIC))


def test_two_lines_that_changed_places_are_found(exported: Path, settings: Settings) -> None:
    first, second, *rest = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join([second, first, *rest]))
    with pytest.raises(RecordsError, match="was changed since"):
        check_export(exported, read_public_key(settings.data_dir / PUBLIC))


def test_a_file_signed_by_another_desk_is_found(exported: Path, tmp_path: Path) -> None:
    signing_key(tmp_path / "other")
    with pytest.raises(RecordsError, match="another key"):
        check_export(exported, read_public_key(tmp_path / "other" / PUBLIC))


def test_a_log_that_is_broken_is_exported_and_the_file_says_so(
    exported: Path, records: DatabaseRecords, settings: Settings, tmp_path: Path
) -> None:
    with records._engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET facts = '{' WHERE id = 2")
    path = tmp_path / "broken.jsonl"
    done = export_audit(records, path, data_dir=settings.data_dir, person="x")
    assert done.rows == 4
    assert lines_of(path)[1]["facts"] == "'{'"
    assert check_export(path, read_public_key(settings.data_dir / PUBLIC)).chain == "changed at row 2"


def test_keys_and_files_are_their_owner_s_alone(exported: Path, settings: Settings) -> None:
    for path in (exported, settings.data_dir / PRIVATE):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = (settings.data_dir / PRIVATE).read_bytes()
    (settings.data_dir / PUBLIC).unlink()
    signing_key(settings.data_dir)
    assert (settings.data_dir / PRIVATE).read_bytes() == before
    assert read_public_key(settings.data_dir / PUBLIC)


def test_who_is_second_to_make_a_key_takes_the_first_one_s(tmp_path: Path) -> None:
    first = signing_key(tmp_path)
    put_once(tmp_path / PRIVATE, b"another", mode=0o600)
    assert signing_key(tmp_path).private_bytes_raw() == first.private_bytes_raw()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([PRIVATE, PUBLIC])


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_one_calm_line(tmp_path: Path, content: bytes) -> None:
    for name in (PRIVATE, PUBLIC):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordsError, match="signing key"):
        signing_key(tmp_path)
    with pytest.raises(RecordsError, match="--key FILE"):
        read_public_key(tmp_path / PUBLIC)


@pytest.mark.parametrize("name", ["no/such/folder/audit.jsonl", "folder"])
def test_a_place_that_can_t_be_written_is_named(
    records: DatabaseRecords, settings: Settings, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordsError, match="can't be written"):
        export_audit(records, tmp_path / name, data_dir=settings.data_dir, person="x")
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(RecordsError, match="can't be read"):
        audit_export.check_export(tmp_path / name, signing_key(settings.data_dir).public_key())
