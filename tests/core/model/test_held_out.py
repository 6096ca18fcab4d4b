from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BundleCorrupt
from core.model.bundle import Bundle, Manifest, read_manifest
from core.model.held_out import differences, same_rows, stated_coverage, subgroups
from core.model.metrics import TaskScores
from core.model.registry import DEFAULT_BUNDLE


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(DEFAULT_BUNDLE)


def scores(**figures: tuple[float, float, float]) -> TaskScores:
    return TaskScores(
        "acuity",
        100,
        {name: value for name, (value, _, _) in figures.items()},
        {name: (low, high) for name, (_, low, high) in figures.items()},
    )


@pytest.mark.parametrize("task", ["department", "acuity", "condition"])
def test_the_figures_come_back_as_they_were_written(manifest: Manifest, task: str) -> None:
    whole, *others = subgroups(manifest, task)
    assert whole.scores.as_dict() == manifest.tasks[task]["held_out"]
    assert (whole.kind, whole.name) == ("all", "")
    assert {each.name for each in others if each.kind == "language"} == {"en", "zh"}
    for each in others:
        kept = manifest.tasks[task]["left_out" if each.kind == "left_out" else f"held_out_by_{each.kind}"][each.name]
        assert each.scores.as_dict() == {name: value for name, value in kept.items() if name != "baseline"}
    assert "starter" in {each.name for each in others if each.kind == "left_out"}


def test_acuity_has_its_own_figures_and_other_tasks_have_not(manifest: Manifest) -> None:
    assert subgroups(manifest, "acuity")[0].scores.acuity is not None
    assert subgroups(manifest, "department")[0].scores.acuity is None


def test_a_bundle_without_held_out_rows_has_no_groups(small_bundle: tuple[Path, Bundle]) -> None:
    bare = replace(small_bundle[1].manifest, tasks={"department": {"classes": ["a", "b"]}})
    assert subgroups(bare, "department") == ()
    assert subgroups(bare, "acuity") == ()
    assert stated_coverage(bare, "department") is None


@pytest.mark.parametrize(
    "damage", ["words", {"rows": 9, "per_label": 3}, {"rows": 9, "top1_interval": [1]}, {"rows": 9, "top1": []}]
)
def test_figures_of_another_form_are_a_calm_error(manifest: Manifest, damage: object) -> None:
    damaged = replace(manifest, tasks={"department": {"held_out": damage}})
    with pytest.raises(BundleCorrupt, match="still answers"):
        subgroups(damaged, "department")


@pytest.mark.parametrize(
    ("this", "other", "verdict"),
    [
        ({"top1": (0.6, 0.58, 0.62)}, {"top1": (0.5, 0.48, 0.52)}, "better"),
        ({"top1": (0.5, 0.48, 0.52)}, {"top1": (0.6, 0.58, 0.62)}, "worse"),
        ({"top1": (0.6, 0.55, 0.65)}, {"top1": (0.5, 0.45, 0.55)}, "no clear difference"),
        ({"under_triage": (0.1, 0.08, 0.12)}, {"under_triage": (0.2, 0.18, 0.22)}, "better"),
        ({"coverage": (0.9, 0.89, 0.91)}, {"coverage": (0.8, 0.79, 0.81)}, "read together"),
        ({"top1": (0.6, 0.55, 0.65)}, {}, "not comparable"),
    ],
)
def test_better_or_worse_is_said_only_where_intervals_are_apart(
    this: dict[str, tuple[float, float, float]], other: dict[str, tuple[float, float, float]], verdict: str
) -> None:
    (found,) = differences(scores(**this), scores(**other))
    assert found.verdict == verdict


def test_a_figure_without_interval_is_never_better() -> None:
    this, other = (TaskScores("department", 9, {"ece": value}) for value in (0.1, 0.2))
    assert differences(this, other)[0].verdict == "not comparable"
    assert differences(this, this)[0].verdict == "no clear difference"


def test_as_many_notes_of_each_label_may_be_the_same_notes(manifest: Manifest) -> None:
    whole, part, *_ = subgroups(manifest, "acuity")
    assert same_rows(whole.scores, whole.scores)
    assert not same_rows(whole.scores, part.scores)
