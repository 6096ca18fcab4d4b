from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.model.scheme import SCHEMES, contrast_with_white, load_scheme

GOOD = (SCHEMES / "esi.toml").read_text(encoding="utf-8")


def test_the_shipped_scheme_names_five_levels_in_both_languages() -> None:
    scheme = load_scheme("esi")
    assert [len(scheme.names[language]) for language in ("en", "zh")] == [5, 5]
    assert (np.triu(scheme.costs, 1) > 0)[np.triu_indices(5, 1)].all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[0, 1.5, 4.8, 7.2, 9.6]", "[9, 1.5, 4.8, 7.2, 9.6]"), "diagonal"),
        (("[0, 1.5, 4.8, 7.2, 9.6]", "[0, -2, 4.8, 7.2, 9.6]"), "negative"),
        (("[1, 0, 2.4, 4.8, 7.2]", "[30, 0, 3, 6, 9]"), "under-triage"),
        (("[4, 3, 2, 1, 0],", ""), "5 by 5"),
        (("level = 5", "level = 7"), "levels 1 to 5"),
        (("[costs]", "[costs]\nfactor = 2\n[price]"), "can't be read: 'matrix'"),
        (("source =", "sauce ="), "can't be read: 'source'"),
        (("zh =", "fr ="), "can't be read"),
        (('icon = "schedule"', ""), "can't be read: 'icon'"),
        (("#2b5fa8", "#9cf"), "level 5: colour"),
        (("#2b5fa8", "#99ccff"), "too pale for white words"),
        (('"schedule"', '"so:so"'), "level 3: icon"),
        (("seen_within = 10", "seen_within = -1"), "level 2: seen_within"),
        (("seen_within = 0", "seen_within = 60"), "more minutes"),
    ],
)
def test_a_broken_scheme_is_refused_by_name(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    (tmp_path / "site.toml").write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(SettingsError, match=complaint) as caught:
        load_scheme("site", tmp_path)
    assert "site.toml" in str(caught.value)


def test_an_unknown_scheme_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"Known: .*esi"):
        load_scheme("zebra")


def test_the_shipped_scheme_shows_each_level_in_its_own_way_with_the_handbook_s_times() -> None:
    levels = load_scheme("esi").levels
    assert [level.level for level in levels] == [1, 2, 3, 4, 5]
    assert [level.seen_within for level in levels] == [0, 10, None, None, None]
    assert len({level.icon for level in levels}) == len({level.colour for level in levels}) == 5
    assert all(contrast_with_white(level.colour) >= 4.5 for level in levels)


def test_a_label_finds_its_level_and_a_foreign_one_none() -> None:
    scheme = load_scheme("esi")
    assert scheme.level("2") == scheme.levels[1]
    assert scheme.level("9") is None
    assert scheme.level("cardiology") is None


@pytest.mark.parametrize(("colour", "ratio"), [("#ffffff", 1.0), ("#000000", 21.0), ("#767676", 4.54)])
def test_contrast_is_that_of_wcag(colour: str, ratio: float) -> None:
    assert contrast_with_white(colour) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("name", [path.stem for path in sorted(SCHEMES.glob("*.toml"))])
def test_every_shipped_scheme_has_five_levels_with_a_source(name: str) -> None:
    scheme = load_scheme(name)
    assert scheme.source
    assert len({level.code for level in scheme.levels}) == 5
    assert {len(set(scheme.names[language])) for language in ("en", "zh")} == {5}
    assert scheme.costs.shape == (5, 5)


def test_a_scheme_s_own_codes_stand_before_the_names() -> None:
    scheme = load_scheme("china")
    assert scheme.shown("4", "zh") == "Ⅳa 亚急症"
    assert scheme.shown("cardiology", "zh") == "cardiology"
    assert load_scheme("esi").shown("2", "en") == "2 Emergent"


def test_a_site_s_own_file_is_a_scheme(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(GOOD.replace("Emergent", "Very urgent"), encoding="utf-8")
    assert load_scheme(str(path)).names["en"][1] == "Very urgent"
