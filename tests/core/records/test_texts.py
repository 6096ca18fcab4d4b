"""Texts of overridden notes: none by default; where a site keeps them, encrypted and for a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from core.errors import RecordsError
from core.notes import Assessment
from core.records.acts import Act
from core.records.chain import audit_key
from core.records.database import DatabaseRecords, open_records
from core.records.engine import open_engine
from core.records.tables import kept_texts
from core.records.texts import Texts
from core.settings import Settings
from tests.core.records.conftest import NOON, NOTE

KEY = Fernet.generate_key().decode()
DAYS = 30


def opened(
    settings: Settings, clock: Callable[[], datetime], days: int = DAYS, key: str | None = KEY
) -> DatabaseRecords:
    engine = open_engine(settings.effective_database_url)
    return DatabaseRecords(engine, clock, key=lambda: audit_key(settings.data_dir), texts=Texts(days, key))


@pytest.fixture
def keeping(settings: Settings) -> DatabaseRecords:
    """Records of a site that keeps texts for 30 days; the clock stands."""
    return opened(settings, lambda: NOON)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("days", "key"), [(0, None), (0, KEY), (DAYS, None)])
def test_where_it_is_off_no_text_can_be_written(
    settings: Settings, assessment: Assessment, days: int, key: str | None
) -> None:
    records = opened(settings, lambda: NOON, days, key)
    number = records.add(assessment, person="nurse1", note_hash="")
    assert not records.keeps_texts
    with pytest.raises(RecordsError, match="not kept here"):
        records.keep_text(number, NOTE)
    with records.one_view() as connection:
        with pytest.raises(RecordsError, match="not kept here"):
            Texts(days, key).keep(connection, number, NOTE, NOON)
        assert connection.execute(select(kept_texts)).all() == []
    records.close()


def test_off_is_the_default(records: DatabaseRecords) -> None:
    assert not records.keeps_texts
    with pytest.raises(RecordsError, match="TRIAGE_KEEP_TEXTS_DAYS is 0"):
        records.keep_text(1, NOTE)


def test_a_kept_text_is_on_disk_only_encrypted_and_comes_back_with_the_key(
    keeping: DatabaseRecords, settings: Settings, assessment: Assessment
) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, "words of before")
    keeping.keep_text(number, NOTE)
    assert keeping.kept_texts() == {number: NOTE}
    keeping.close()
    for words in (NOTE, "胸口", "crushing", "words of before"):
        assert words.encode() not in files(settings.data_dir)
        assert words.encode("unicode_escape") not in files(settings.data_dir)


def test_a_kept_text_leaves_no_row_in_the_audit_log_but_its_decision_s(
    keeping: DatabaseRecords, assessment: Assessment
) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, NOTE)
    with keeping.one_view() as connection:
        assert keeping.chain.hold(connection).rows == 1
    keeping.close()


def test_without_the_key_or_with_another_one_nothing_is_read(
    keeping: DatabaseRecords, settings: Settings, assessment: Assessment
) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, NOTE)
    keeping.close()
    for key, words in ((None, "their key only"), (Fernet.generate_key().decode(), "is not the key")):
        other = opened(settings, lambda: NOON, 0, key)
        with pytest.raises(RecordsError, match=words):
            other.kept_texts()
        other.close()
    switched_off = opened(settings, lambda: NOON, 0, KEY)
    assert switched_off.kept_texts() == {number: NOTE}
    switched_off.close()


def test_texts_that_were_exchanged_are_not_read(keeping: DatabaseRecords, assessment: Assessment) -> None:
    one, two = (keeping.add(assessment, person="nurse1", note_hash="") for _ in range(2))
    keeping.keep_text(one, NOTE)
    with keeping._engine.begin() as connection:
        connection.execute(update(kept_texts).values(answer=two))
    with pytest.raises(RecordsError, match="was changed"):
        keeping.kept_texts()
    keeping.close()


@pytest.mark.parametrize("write", ["note", "tidy", "add"])
def test_a_text_whose_time_has_passed_is_deleted_at_the_next_write_or_start(
    keeping: DatabaseRecords, settings: Settings, assessment: Assessment, write: str
) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, NOTE)
    with keeping._engine.begin() as connection:
        token = connection.execute(select(kept_texts.c.token)).scalar_one()
    keeping.close()
    # Also where the site has switched it off since.
    later = opened(settings, lambda: NOON + timedelta(days=DAYS), 0, KEY)
    assert later.kept_texts() == {}  # not read from the moment on, deleted or not
    if write == "add":
        later.add(assessment, person="nurse1", note_hash="")
    elif write == "note":
        later.note(Act.EXPORT, "x", {})
    else:
        later.tidy()
    with later.one_view() as connection:
        assert connection.execute(select(kept_texts)).all() == []
    later.close()
    assert token.encode() not in files(settings.data_dir)


def test_a_text_whose_time_passes_while_the_desk_works_is_deleted_within_a_minute(
    settings: Settings, assessment: Assessment
) -> None:
    times = [NOON]
    working = opened(settings, lambda: times[-1], DAYS, KEY)
    working.keep_text(working.add(assessment, person="nurse1", note_hash=""), NOTE)
    times.append(NOON + timedelta(days=DAYS, seconds=-1))
    working.note(Act.EXPORT, "x", {})
    assert len(working.kept_texts()) == 1
    times.append(times[-1] + timedelta(minutes=1))
    working.note(Act.EXPORT, "x", {})
    with working.one_view() as connection:
        assert connection.execute(select(kept_texts)).all() == []
    working.close()


def test_a_text_stays_until_its_time_has_passed(
    keeping: DatabaseRecords, settings: Settings, assessment: Assessment
) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, NOTE)
    keeping.close()
    later = opened(settings, lambda: NOON + timedelta(days=DAYS, microseconds=-1))
    later.tidy()
    assert later.kept_texts() == {number: NOTE}
    later.close()


def test_a_text_of_no_answer_is_not_kept(keeping: DatabaseRecords) -> None:
    with pytest.raises(RecordsError, match="not recorded"):
        keeping.keep_text(7, NOTE)
    keeping.close()


def test_the_settings_switch_it_on(settings: Settings, assessment: Assessment) -> None:
    records = open_records(settings.model_copy(update={"keep_texts_days": 1}))
    assert not records.keeps_texts
    records.close()
    records = open_records(Settings(data_dir=settings.data_dir, keep_texts_days=1, texts_key=KEY, _env_file=None))
    assert records.keeps_texts
    records.close()


def test_identifiers_are_masked_before_a_text_is_kept(keeping: DatabaseRecords, assessment: Assessment) -> None:
    number = keeping.add(assessment, person="nurse1", note_hash="")
    keeping.keep_text(number, "张建国先生，电话13812345678，胸痛两小时")
    with keeping.one_view() as connection:
        assert list(Texts(DAYS, KEY).read(connection, NOON)) == [(number, "[姓名]先生，电话[电话]，胸痛两小时")]
    keeping.close()
