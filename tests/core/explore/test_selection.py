import csv
import io

import numpy as np
import pytest

from core.explore.points import NoteSet
from core.explore.selection import banded, csv_of, mix_of


def test_the_mix_of_a_selection_counts_values_and_leaves_out_what_is_not_known(notes: NoteSet) -> None:
    mix = mix_of(notes.columns[0], np.array([0, 1, 2, 20, 39]))
    first, second = mix.rows
    assert (first.value, first.selected, first.rest) == ("cardiology", 3, 17)
    assert first.share_selected == pytest.approx(0.75)
    assert second.lift == pytest.approx((1 / 4) / (14 / 31))
    assert (mix.unknown_selected, mix.unknown_rest) == (1, 4)


def test_a_value_that_the_rest_lacks_has_no_lift(notes: NoteSet) -> None:
    mix = mix_of(notes.columns[0], np.arange(20))
    assert mix.rows[0].lift is None
    assert mix.rows[1].selected == 0


def test_nothing_selected_and_everything_selected_have_a_mix_too(notes: NoteSet) -> None:
    assert not any(row.selected for row in mix_of(notes.columns[0], np.array([], np.int64)).rows)
    assert not any(row.rest for row in mix_of(notes.columns[0], np.arange(40)).rows)


def test_probabilities_are_counted_in_bands(notes: NoteSet) -> None:
    found = banded(np.array([0, 0.3, 0.49, 0.9, 1, np.nan]))
    assert found.tolist() == ["0–30%", "30–50%", "30–50%", "90–100%", "90–100%", ""]
    assert sum(row.selected + row.rest for row in mix_of(notes.columns[1], np.arange(3)).rows) == 40


def test_a_file_opens_in_excel_and_runs_no_formula() -> None:
    written = csv_of({"note": [2, 3], "=text": ["=1+1", "胸口痛, 出汗"]})
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    assert rows == [["note", "'=text"], ["2", "'=1+1"], ["3", "胸口痛, 出汗"]]
