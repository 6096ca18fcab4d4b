from pathlib import Path

import pandas as pd
import pytest

from core.errors import TableError
from core.model.labelled import read_labelled
from core.model.recipe import Recipe

RECIPE = Recipe(tasks=("department",), text_limit=40)


def table(folder: Path, name: str = "t.csv", **columns: object) -> Path:
    path = folder / name
    rows = {"text": [f"note {i}: the knee hurts" for i in range(24)], "department": ["a"] * 12 + ["b"] * 12}
    pd.DataFrame(rows | columns).to_csv(path, index=False)
    return path


def test_tables_with_other_columns_are_read_together(tmp_path: Path) -> None:
    first = table(tmp_path, "clinic.csv")
    second = table(tmp_path, "ward.csv", source="elsewhere", language="en")
    found = read_labelled([first, second], RECIPE)
    assert len(found.texts) == 48
    assert set(found.sources) == {"clinic", "elsewhere"}
    assert set(found.languages) == {"en"}


def test_age_and_sex_stand_before_the_text_as_they_do_when_a_note_is_assessed(tmp_path: Path) -> None:
    found = read_labelled([table(tmp_path, age=[67] * 24, sex=["F"] * 24)], RECIPE)
    assert found.texts[0].startswith("67-year-old female. note 0")


def test_long_texts_are_cut_to_the_recipe_s_limit(tmp_path: Path) -> None:
    found = read_labelled([table(tmp_path, text=["knee " * 100] * 24)], RECIPE)
    assert max(map(len, found.texts)) <= 40


def test_rows_without_words_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    texts = ["🙂", ""] + [f"note {i}: the knee hurts" for i in range(22)]
    labels = ["a"] * 12 + ["b"] * 11 + [""]
    found = read_labelled([table(tmp_path, text=texts, department=labels)], RECIPE)
    assert len(found.texts) == 21
    assert found.left_out == {"no words": 2, "no label": 1}


def test_levels_that_a_table_program_made_decimal_are_whole_again(tmp_path: Path) -> None:
    found = read_labelled([table(tmp_path, acuity=[2.0] * 12 + [None] + [3.0] * 11)], Recipe(tasks=("acuity",)))
    assert set(found.labels["acuity"]) == {"2", "3"}


def test_small_classes_are_merged_on_request(tmp_path: Path) -> None:
    labels = ["a"] * 12 + ["b"] * 7 + ["c"] * 5
    recipe = Recipe(tasks=("department",), merge_small="other")
    found = read_labelled([table(tmp_path, department=labels)], recipe)
    assert set(found.labels["department"]) == {"a", "other"}


def test_a_text_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no column complaint.*text.*department"):
        read_labelled([table(tmp_path)], RECIPE, text_column="complaint")
