"""Acuity schemes: files that give the five levels their names, and wrong levels their costs."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.settings import REPOSITORY

SCHEMES = REPOSITORY / "models" / "schemes"
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class AcuityScheme:
    """The five acuity levels as a site names them.

    Attributes:
        name: the file's name without its ending.
        names: names by language (`en`, `zh`), most urgent first.
        costs: cost of deciding level j + 1 when level i + 1 is true, shape (5, 5).
    """

    name: str
    names: dict[str, tuple[str, ...]]
    costs: NDArray[np.float64]


def load_scheme(name: str = "esi", folder: Path = SCHEMES) -> AcuityScheme:
    """The scheme in `folder/name.toml`.

    Raises:
        SettingsError: no such scheme, or its file breaks a rule; the rule is named.
    """
    path = folder / f"{name}.toml"
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        levels = sorted(facts["levels"], key=lambda level: level["level"])
        costs = np.array(facts["costs"]["matrix"], dtype=np.float64)
        names = {language: tuple(level[language] for level in levels) for language in ("en", "zh")}
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise SettingsError(f"There is no acuity scheme {name!r}. Known: {known}.") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"The acuity scheme {path.name} can't be read: {error}.") from None
    if [level["level"] for level in levels] != list(LEVELS) or costs.shape != (5, 5):
        raise SettingsError(f"The acuity scheme {path.name} needs the levels 1 to 5 and a 5 by 5 cost matrix.")
    if np.diag(costs).any() or (costs < 0).any() or (np.triu(costs) < np.tril(costs).T).any():
        raise SettingsError(
            f"The cost matrix of {path.name} must be 0 on the diagonal, nowhere negative, and under-triage (above the "
            "diagonal) must cost at least as much as over-triage by as many levels."
        )
    return AcuityScheme(facts.get("name", name), names, costs)
