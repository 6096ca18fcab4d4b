"""What people corrected becomes a table that `triage train` reads."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import RecordsError
from core.model.labelled import read_labelled
from core.model.recipe import Recipe
from core.notes import Assessment
from core.records.database import DatabaseRecords, open_records
from core.records.tables import audit
from core.records.training import write_training_table
from core.settings import Settings
from tests.core.records.conftest import NOTE
from tests.core.records.test_texts import KEY


@pytest.fixture
def keeping(settings: Settings) -> DatabaseRecords:
    return open_records(Settings(data_dir=settings.data_dir, keep_texts_days=30, texts_key=KEY, _env_file=None))


def test_each_kept_text_is_a_row_with_the_labels_that_count(
    keeping: DatabaseRecords, assessment: Assessment, tmp_path: Path
) -> None:
    texts = [f'{NOTE} {place} "quoted"\nnote, with a comma' for place in range(24)]
    for place, text in enumerate(texts):
        number = keeping.add(assessment, person="nurse1", note_hash="")
        keeping.decide(number, "acuity", "13"[place % 2], reason="other", person="nurse1")
        keeping.keep_text(number, text)
    keeping.add(assessment, person="nurse1", note_hash="")
    target = tmp_path / "training.csv"
    assert write_training_table(keeping, target, person="os:x") == 24
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"text": text, "acuity": "13"[place % 2], "department": "cardiology"} for place, text in enumerate(texts)
    ]
    assert target.stat().st_mode & 0o077 == 0
    with keeping.one_view() as connection:
        last = connection.execute(select(audit).order_by(audit.c.id.desc())).first()
    assert last is not None
    assert (last.kind, last.person, last.facts) == ("texts_exported", "os:x", '{"rows":24}')
    table = read_labelled([target], Recipe(tasks=("acuity",)), text_column=None)
    assert len(table.texts) == 24
    keeping.close()


def test_without_the_key_no_table_is_written(records: DatabaseRecords, tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="TRIAGE_TEXTS_KEY"):
        write_training_table(records, tmp_path / "training.csv", person="x")
    assert not (tmp_path / "training.csv").exists()
