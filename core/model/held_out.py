"""The held-out figures that a manifest keeps, read back as scores, and two bundles compared by them.

Nothing is computed anew and nothing is unpickled: what training measured on rows that it never saw stands in the
manifest as JSON (`TaskScores.as_dict`), and comes back here as the dataclasses that the figures are drawn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import BundleCorrupt
from core.model.acuity_metrics import AcuityScores
from core.model.bundle import Manifest
from core.model.calibration_metrics import ReliabilityBin
from core.model.intervals import Interval
from core.model.metrics import LabelScores, TaskScores

Kind = Literal["all", "language", "source", "left_out"]
Verdict = Literal["better", "worse", "no clear difference", "read together", "not comparable"]

_GROUPS: tuple[tuple[Kind, str], ...] = (
    ("language", "held_out_by_language"),
    ("source", "held_out_by_source"),
    ("left_out", "left_out"),
)
_TABLES = frozenset(
    {
        "per_label",
        "confusion",
        "reliability",
        "set_sizes",
        "under_by_distance",
        "over_by_distance",
        "band_confusion",
        "baseline",
    }
)
_INTERVAL = "_interval"
# Figures shown of a task, and whether more is better; the others are for researchers and stand in the model card.
# More coverage is easily had with longer sets, and shorter sets with less coverage: neither is better by itself.
COMPARED: Mapping[str, bool | None] = {
    "top1": True,
    "top3": True,
    "emergency_recall": True,
    "under_triage": False,
    "over_triage": False,
    "coverage": None,
    "mean_set_size": None,
    "macro_f1": True,
    "ece": False,
}


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Rows of a task that training did not see.

    Held out of all sources, of one language or of one source; or a source left out as a whole, which another model of
    the same kind answered.

    Attributes:
        kind: what the rows have in common.
        name: which language or source; empty for all.
        scores: of these rows.
    """

    kind: Kind
    name: str
    scores: TaskScores


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two bundles.

    Attributes:
        figure: its name in `TaskScores.figures`.
        this: its value in the first bundle; none where it has none.
        other: its value in the second.
        this_interval: 95 % interval of `this`, if there is one.
        other_interval: 95 % interval of `other`.
        verdict: the first against the second. Better or worse only where the two intervals do not overlap, which is a
            cautious test; a figure without intervals is never called better or worse.
    """

    figure: str
    this: float | None
    other: float | None
    this_interval: Interval | None
    other_interval: Interval | None
    verdict: Verdict


def subgroups(manifest: Manifest, task: str) -> tuple[Subgroup, ...]:
    """All held-out rows of a task, those of each language and source, then each source left out; only what has rows.

    Raises:
        BundleCorrupt: the figures have another form.
    """
    facts: Mapping[str, Any] = manifest.tasks.get(task, {})
    try:
        found = [Subgroup("all", "", _scores(task, facts.get("held_out") or {}))]
        for kind, key in _GROUPS:
            groups = (facts.get(key) or {}).items()
            found += [Subgroup(kind, str(name), _scores(task, scores)) for name, scores in groups]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise BundleCorrupt(
            f"The figures of {manifest.name}/{manifest.version} can't be read; it still answers. "
            "Train it again to see them."
        ) from None
    return tuple(group for group in found if group.scores.rows)


def stated_coverage(manifest: Manifest, task: str) -> float | None:
    """The share of right labels that prediction sets were made to keep; none where the manifest does not say."""
    stated = manifest.tasks.get(task, {}).get("coverage")
    return float(stated) if isinstance(stated, int | float) else None


def differences(this: TaskScores, other: TaskScores) -> tuple[Difference, ...]:
    """The figures that at least one of two bundles has, compared."""
    return tuple(
        _difference(name, this, other)
        for name in COMPARED
        if this.figures.get(name) is not None or other.figures.get(name) is not None
    )


def same_rows(this: TaskScores, other: TaskScores) -> bool:
    """Whether both may have been measured on the same notes: as many of them, and as many of each label."""
    supports = [
        {label: each.support for label, each in scores.per_label.items() if each.support} for scores in (this, other)
    ]
    return this.rows == other.rows and supports[0] == supports[1]


def _difference(name: str, this: TaskScores, other: TaskScores) -> Difference:
    mine, theirs = this.intervals.get(name), other.intervals.get(name)
    return Difference(
        name,
        this.figures.get(name),
        other.figures.get(name),
        mine,
        theirs,
        _verdict(name, this.figures.get(name), other.figures.get(name), mine, theirs),
    )


def _verdict(
    name: str, this: float | None, other: float | None, mine: Interval | None, theirs: Interval | None
) -> Verdict:
    if this is None or other is None:
        return "not comparable"
    if COMPARED[name] is None:
        return "read together"
    if mine is None or theirs is None:
        return "no clear difference" if this == other else "not comparable"
    if mine[0] > theirs[1] or mine[1] < theirs[0]:
        return "better" if (this > other) == COMPARED[name] else "worse"
    return "no clear difference"


def _scores(task: str, facts: Mapping[str, Any]) -> TaskScores:
    """The scores that `TaskScores.as_dict` wrote; figures that it did not write are missing, not zero."""
    figures = {
        name: None if value is None else float(value)
        for name, value in facts.items()
        if name != "rows" and name not in _TABLES and not name.endswith(_INTERVAL)
    }
    return TaskScores(
        task=task,
        rows=int(facts.get("rows") or 0),
        figures=figures,
        intervals=_intervals(facts),
        per_label={str(label): _label(each) for label, each in facts.get("per_label", {}).items()},
        confusion={
            str(truth): {str(decided): int(count) for decided, count in row.items()}
            for truth, row in facts.get("confusion", {}).items()
        },
        reliability=tuple(ReliabilityBin(**each) for each in facts.get("reliability", [])),
        set_sizes={int(size): int(count) for size, count in facts.get("set_sizes", {}).items()},
        acuity=_acuity(facts) if "band_confusion" in facts else None,
    )


def _label(facts: Mapping[str, Any]) -> LabelScores:
    return LabelScores(
        precision=facts.get("precision"),
        recall=facts.get("recall"),
        f1=facts.get("f1"),
        support=int(facts.get("support") or 0),
        coverage=facts.get("coverage"),
        intervals=_intervals(facts),
    )


def _acuity(facts: Mapping[str, Any]) -> AcuityScores:
    return AcuityScores(
        under_triage=float(facts["under_triage"]),
        over_triage=float(facts["over_triage"]),
        under_by_distance={int(k): int(count) for k, count in facts["under_by_distance"].items()},
        over_by_distance={int(k): int(count) for k, count in facts["over_by_distance"].items()},
        emergency_recall=facts.get("emergency_recall"),
        band_accuracy=float(facts["band_accuracy"]),
        band_confusion={str(truth): dict(row) for truth, row in facts["band_confusion"].items()},
        kappa_quadratic=facts.get("kappa_quadratic"),
        intervals=_intervals(facts),
    )


def _intervals(facts: Mapping[str, Any]) -> dict[str, Interval]:
    found = {}
    for name, value in facts.items():
        if name.endswith(_INTERVAL) and value is not None:
            low, high = value
            found[name.removesuffix(_INTERVAL)] = float(low), float(high)
    return found
