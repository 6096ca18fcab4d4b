"""What a training run is told: defaults, or a recipe file in `models/recipes`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class TaskRecipe:
    """How one task is trained.

    Attributes:
        class_balance: 0 leaves classes as frequent as they are, 1 makes them count the same.
        source_balance: 0 lets every row count the same, 1 makes every source of a class count the same.
        calibration: `temperature` or `sigmoid`.
        across_sources: choose the candidate by leaving out one source at a time, not by random folds; needs every class
            in two sources.
        trusted_share: least and greatest share of the expert that learns from the trusted sources alone (0 to 1 each).
        scheme: acuity scheme whose costs decide; only for the task `acuity`.
        review: share of the notes (of trusted sources, where there are any) whose answers are to go to a person.
    """

    class_balance: float = 1.0
    source_balance: float = 0.5
    calibration: Literal["temperature", "sigmoid"] = "temperature"
    across_sources: bool = False
    trusted_share: tuple[float, float] = (0.0, 1.0)
    scheme: str | None = None
    review: float = 0.1


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run.

    Attributes:
        tasks: label columns to learn.
        by_task: what differs for one task.
        coverage: share of true labels that prediction sets must keep.
        held_out: share of the rows that is never trained on and gives the card's figures.
        pca: when set, heads work on that share of the vectors' variance (0 to 1); otherwise PCA is only compared.
        text_limit: characters of a training text that are used.
        merge_small: label for classes with too few notes; none refuses them.
        reference: notes whose vectors and labels stay in the bundle.
        shown: sources whose texts stay there, too, and may be shown to everybody as examples; none: no text stays.
        name: the bundle's name.
        sources: licence and origin by `source`, for the card.
        leave_out: train once more for each source, without it, and put the figures on it into the card.
        trusted: sources whose notes also train an expert of their own (`core.model.experts`); none: one model for all.
        seed: of every random choice.
    """

    tasks: tuple[str, ...] = ("department", "acuity", "condition")
    by_task: Mapping[str, TaskRecipe] = field(default_factory=lambda: {"acuity": TaskRecipe(scheme="esi")})
    coverage: float = 0.9
    held_out: float = 0.1
    pca: float | None = None
    text_limit: int = 600
    merge_small: str | None = None
    reference: int = 5000
    shown: tuple[str, ...] = ()
    name: str = "site"
    sources: Mapping[str, str] = field(default_factory=dict)
    leave_out: bool = True
    trusted: tuple[str, ...] = ()
    seed: int = 0

    def task(self, name: str) -> TaskRecipe:
        """How the task `name` is trained."""
        return self.by_task.get(name, TaskRecipe())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The recipe in a TOML file; what it leaves out keeps its default.

        Raises:
            SettingsError: the file can't be read, or names something that no recipe has.
        """
        try:
            facts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            by_task = {name: _task(task) for name, task in facts.pop("task", {}).items()}
        except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
            raise SettingsError(f"The recipe {path} can't be read: {error}.") from None
        unknown = set(facts) - {known.name for known in fields(cls)}
        if unknown:
            raise SettingsError(f"The recipe {path} has entries that no recipe has: {', '.join(sorted(unknown))}.")
        facts |= {name: tuple(facts[name]) for name in ("tasks", "trusted", "shown") if name in facts}
        return cls(**facts, by_task=by_task) if by_task else cls(**facts)


def _task(facts: dict[str, Any]) -> TaskRecipe:
    task = TaskRecipe(**facts)
    least, most = task.trusted_share
    if not 0 <= least <= most <= 1:
        raise TypeError("trusted_share needs two shares between 0 and 1, the lesser first")
    return replace(task, trusted_share=(least, most))
