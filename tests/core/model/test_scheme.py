from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.model.scheme import SCHEMES, load_scheme

GOOD = (SCHEMES / "esi.toml").read_text(encoding="utf-8")


def test_the_shipped_scheme_names_five_levels_in_both_languages() -> None:
    scheme = load_scheme("esi")
    assert [len(scheme.names[language]) for language in ("en", "zh")] == [5, 5]
    assert (np.triu(scheme.costs, 1) > 0)[np.triu_indices(5, 1)].all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[0, 1.5, 4.5, 6.75, 9]", "[9, 1.5, 4.5, 6.75, 9]"), "diagonal"),
        (("[0, 1.5, 4.5, 6.75, 9]", "[0, -2, 4.5, 6.75, 9]"), "negative"),
        (("[1, 0, 2.25, 4.5, 6.75]", "[30, 0, 2.25, 4.5, 6.75]"), "under-triage"),
        (("[4, 3, 2, 1, 0],", ""), "5 by 5"),
        (("level = 5", "level = 7"), "levels 1 to 5"),
        (("[costs]", "[price]"), "can't be read"),
        (("zh =", "fr ="), "can't be read"),
    ],
)
def test_a_broken_scheme_is_refused_by_name(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    (tmp_path / "site.toml").write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(SettingsError, match=complaint) as caught:
        load_scheme("site", tmp_path)
    assert "site.toml" in str(caught.value)


def test_an_unknown_scheme_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="Known: esi"):
        load_scheme("zebra")
