from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pandas as pd

from core.records.export import answers_table, csv_of
from core.records.records import AnsweredNote
from tests.core.records.conftest import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_the_table_has_a_row_a_note_newest_first_in_the_reader_s_time(answered: Callable[..., AnsweredNote]) -> None:
    notes = [
        answered(NOON, acuity="3", decided={"acuity": "2"}),
        answered(NOON + timedelta(minutes=1), acuity="4", department="ent", needs_review=True),
    ]
    table = answers_table(notes, SHANGHAI)
    assert table["time"].tolist() == [pd.Timestamp("2026-03-04 20:31"), pd.Timestamp("2026-03-04 20:30")]
    assert table["acuity"].tolist() == ["4", "3"]
    assert table["acuity_decided"].tolist() == ["", "2"]
    assert table["acuity_reason"].tolist() == ["", "other"]
    assert table["department"].tolist() == ["ent", ""]
    assert table["needs_review"].tolist() == [True, False]


def test_excel_opens_the_csv_as_utf_8_and_runs_nothing_of_it() -> None:
    table = pd.DataFrame({"人": ["=cmd()", "@a", "护士"], "n": ["1", "-2", "+x"], "时间": pd.to_datetime([NOON] * 3)})
    raw = csv_of(table)
    assert raw.startswith(b"\xef\xbb\xbf")
    read = pd.read_csv(BytesIO(raw), encoding="utf-8-sig", dtype=str)
    assert read["人"].tolist() == ["'=cmd()", "'@a", "护士"]
    assert read["n"].tolist() == ["1", "-2", "'+x"]
    assert read["时间"][0] == "2026-03-04 12:30:00"
