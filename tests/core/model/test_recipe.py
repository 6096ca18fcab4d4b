from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.model.recipe import Recipe
from core.model.rows import row_weights
from core.settings import REPOSITORY


def test_the_shipped_recipe_can_be_read_and_names_every_source() -> None:
    recipe = Recipe.read(REPOSITORY / "models" / "recipes" / "default.toml")
    assert recipe.tasks == ("department", "acuity", "condition")
    assert recipe.task("acuity").scheme == "esi"
    assert "starter" in recipe.sources


@pytest.mark.parametrize("text", ["tasks = [", "colour = 'red'", "[task.department]\nspeed = 1"])
def test_a_recipe_that_says_what_none_can_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"r\.toml"):
        Recipe.read(path)


def test_a_missing_recipe_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        Recipe.read(tmp_path / "none.toml")


def test_balanced_classes_count_the_same_however_many_rows_they_have() -> None:
    labels = np.array(["a"] * 90 + ["b"] * 10)
    weights = row_weights(labels, np.full(100, "s"), class_balance=1, source_balance=0)
    assert weights[:90].sum() == pytest.approx(weights[90:].sum())
    assert weights.mean() == pytest.approx(1)


def test_balanced_sources_count_the_same_within_a_class() -> None:
    sources = np.array(["big"] * 80 + ["small"] * 20)
    weights = row_weights(np.full(100, "a"), sources, class_balance=0, source_balance=1)
    assert weights[:80].sum() == pytest.approx(weights[80:].sum())


def test_without_balance_every_row_counts_the_same() -> None:
    labels = np.array(["a"] * 90 + ["b"] * 10)
    weights = row_weights(labels, np.full(100, "s"), class_balance=0, source_balance=0)
    assert np.allclose(weights, 1)


@pytest.mark.parametrize("shares", ["[0.5]", "[0.9, 0.5]", "[0, 2]", "[0, 0.5, 1]", "'half'"])
def test_shares_that_are_none_are_refused(tmp_path: Path, shares: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f"[task.department]\ntrusted_share = {shares}")
    with pytest.raises(SettingsError, match=r"r\.toml"):
        Recipe.read(path)


def test_trusted_sources_and_shares_are_read(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("trusted = ['ours']\n[task.department]\ntrusted_share = [0.5, 0.9]")
    recipe = Recipe.read(path)
    assert recipe.trusted == ("ours",)
    assert recipe.task("department").trusted_share == (0.5, 0.9)
