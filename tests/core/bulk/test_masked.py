"""Files without identifiers: in every kind of table, in folders, by the command and as a download."""

import datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.bulk.classify import classify_table
from core.bulk.folder import classify_folder
from core.bulk.masked import masked_cells
from core.errors import TableError
from core.safety.identifier_kinds import kind_of_heading
from tests.core.bulk.stub_desk import StubDesk

NOTE = "张建国先生，电话13812345678，胸痛两小时，血压150/95"
HIDDEN = "[姓名]先生，电话[电话]，胸痛两小时，血压150/95"
FRAME = pd.DataFrame(
    {
        "patient_name": ["Zhang Jianguo", "Ann Cole"],
        "text": [NOTE, "Ring me on 07700 900123, BP 150/95, chest pain"],
        "telephone": [13812345678, 7700900123],
        "seen": [datetime.date(2026, 3, 1), datetime.date(2026, 3, 2)],
        "age": [61, 45],
    }
)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet"])
def test_a_masked_file_has_every_row_and_no_identifier(tmp_path: Path, suffix: str, kind: str) -> None:
    source, target = tmp_path / f"in{kind}", tmp_path / f"out{suffix}"
    {".csv": FRAME.to_csv, ".xlsx": FRAME.to_excel, ".parquet": FRAME.to_parquet}[kind](source, index=False)  # type: ignore[operator]
    report = classify_table(source, target, StubDesk(), text_column="text", masked=True)
    read = {".csv": pd.read_csv, ".xlsx": partial(pd.read_excel, engine="openpyxl"), ".parquet": pd.read_parquet}[
        suffix
    ]
    found = read(target)  # type: ignore[operator]
    assert report.rows == len(found) == 2
    assert list(found["text"]) == [HIDDEN, "Ring me on [phone], BP 150/95, chest pain"]
    assert list(map(int, found["age"])) == [61, 45]
    assert [str(day)[:10] for day in found["seen"]] == ["2026-03-01", "2026-03-02"]
    for one in ("Zhang", "Cole", "1381", "7700"):
        assert one not in found.to_csv()


def test_types_of_a_parquet_stay_also_where_a_cell_is_hidden(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array([NOTE, None]).cast(pa.large_string()),
            "ward": pa.array(["A", "Mr. Brown"]).dictionary_encode(),
            "mobile": pa.array([13812345678, None], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    classify_table(tmp_path / "in.parquet", tmp_path / "out.parquet", StubDesk(), text_column="text", masked=True)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(["text", "ward", "mobile"]).schema.types == table.schema.types
    assert found["text"].to_pylist() == [HIDDEN, None]
    assert found["ward"].to_pylist() == ["A", "Mr. [name]"]
    assert found["mobile"].to_pylist() == [None, None]


def test_a_folder_is_masked_and_not_gone_on_with_unmasked(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    FRAME.to_csv(tmp_path / "in" / "notes.csv", index=False)
    source, target = str(tmp_path / "in"), str(tmp_path / "out")
    classify_folder(source, target, StubDesk(), text_column="text", masked=True)
    written = next((tmp_path / "out").glob("notes*.csv")).read_text(encoding="utf-8")
    assert HIDDEN in written
    assert "1381" not in written
    with pytest.raises(TableError, match="identifiers was masked and is none now"):
        classify_folder(source, target, StubDesk(), text_column="text")


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Name", "name"), ("patientName", "name"), ("PATIENT_NAME", "name"), ("姓名", "name"), ("联系电话：", "phone"),
        ("DOB", "birth_date"), ("date-of-birth", "birth_date"), ("MRN", "record"), ("e-mail", "email"),
        ("ward", None), ("note", None), ("department name", None), ("主诉", None), ("", None),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_heading(heading: str, kind: str | None) -> None:
    assert kind_of_heading(heading) == kind


def test_cells_that_hold_nothing_or_no_text_stay() -> None:
    given = [None, "", float("nan"), 3.5, True, 42, "Tel 07700 900123"]
    assert str(masked_cells("remarks", given, is_text=False)) == str([*given[:-1], "Tel [phone]"])
    assert str(masked_cells("phone", [None, "", 5], is_text=False)) == str([None, "", None])
