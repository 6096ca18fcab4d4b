"""Rows of a classified table in the reader's language."""

import numpy as np
import pandas as pd

from app.spreadsheet_rows import rows_table
from app.text import Voice
from core.bulk.results import FoundRows


def rows(*red_flags: str | None) -> FoundRows:
    count = len(red_flags)
    answers = pd.DataFrame({
        "department": "cardiology", "department_probability": 0.999, "red_flags": red_flags, "needs_review": True,
        "reasons": "department: two answers possible", "error": None,
    })  # fmt: skip
    return FoundRows(count, np.arange(2, 2 + count), answers, pd.DataFrame({"note": ["=1+1"] * count}))


def test_red_flags_stand_in_words_beside_the_answers() -> None:
    table = rows_table(rows("chest_pain_crushing; shock", None), "note", Voice("zh"))
    assert table["危险信号"].tolist() == ["压榨样或压迫样胸痛; 休克表现", ""]
    assert list(table.columns).index("危险信号") < list(table.columns).index("需要人工判断")


def test_without_red_flags_there_is_no_column_and_no_formula_and_no_certainty() -> None:
    table = rows_table(rows("", None), "note", Voice("en"))
    assert "Red flags" not in table
    assert table["Note text"].tolist() == ["'=1+1"] * 2
    assert table["Department %"].tolist() == [99, 99]


def test_identifiers_of_the_table_are_hidden_where_that_is_wanted() -> None:
    found = rows("", "")
    found.given["note"] = ["Mrs. Cole, tel 07700 900123, cough", "牙疼，身份证号11010519491231002X"]
    found.given["patient_name"] = ["Ann Cole", "张建国"]
    table = rows_table(found, "note", Voice("en"), is_hidden=True)
    assert table["Note text"].tolist() == ["Mrs. [name], tel [phone], cough", "牙疼，身份证号[身份证号]"]
    assert table["patient_name"].tolist() == ["[name]", "[name]"]
    assert rows_table(found, "note", Voice("en"))["patient_name"].tolist() == ["Ann Cole", "张建国"]
