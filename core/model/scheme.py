"""Acuity schemes: files that give the five levels their names, looks and times, and wrong levels their costs."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.settings import REPOSITORY, load_settings

SCHEMES = REPOSITORY / "models" / "schemes"
LEVELS = (1, 2, 3, 4, 5)
CONTRAST = 4.5  # WCAG 2.2, 1.4.3: of white words on a level's colour
_ICON = re.compile(r"[a-z0-9_]+")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class AcuityLevel:
    """One level as it is shown.

    Attributes:
        level: 1 (most urgent) to 5.
        code: what the scheme calls it, its number where it says nothing else.
        icon: name of a Material Symbol.
        colour: `#rrggbb`, dark enough for white words on it.
        seen_within: minutes within which the scheme wants the patient seen, 0 for at once; none where it sets no time.
    """

    level: int
    code: str
    icon: str
    colour: str
    seen_within: int | None


@dataclass(frozen=True, slots=True)
class AcuityScheme:
    """The five acuity levels as a site names them.

    Attributes:
        name: the file's name without its ending.
        source: who defines it.
        names: names by language (`en`, `zh`), most urgent first.
        costs: cost of deciding level j + 1 when level i + 1 is true, shape (5, 5); those of `esi` where left out.
        levels: how each level is shown, most urgent first.
    """

    name: str
    source: str
    names: dict[str, tuple[str, ...]]
    costs: NDArray[np.float64]
    levels: tuple[AcuityLevel, ...]

    def level(self, label: str) -> AcuityLevel | None:
        """The level that a label of the acuity task names, if it names one."""
        return self.levels[int(label) - 1] if label.isdecimal() and int(label) in LEVELS else None

    def shown(self, label: str, language: str) -> str:
        """A level as `2 Emergent`; any other label as it is."""
        level = self.level(label)
        return f"{level.code} {self.names[language][level.level - 1]}" if level else label


def load_scheme(name: str = "esi", folder: Path = SCHEMES) -> AcuityScheme:
    """The scheme in `folder/name.toml`, or in a site's own file where `name` is its path.

    Raises:
        SettingsError: no such scheme, or its file breaks a rule; the rule is named.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        source = str(facts["source"])
        levels = sorted(facts["levels"], key=lambda level: level["level"])
        costs = np.array(facts["costs"]["matrix"], dtype=np.float64) if "costs" in facts else load_scheme().costs
        names = {language: tuple(level[language] for level in levels) for language in ("en", "zh")}
        shown = tuple(_level(facts_of_level) for facts_of_level in levels)
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
    times = [level.seen_within for level in shown if level.seen_within is not None]
    if times != sorted(times):
        raise SettingsError(f"In {path.name} a more urgent level must not have more minutes than a less urgent one.")
    return AcuityScheme(facts.get("name", path.stem), source, names, costs, shown)


@cache
def scheme_in_use() -> AcuityScheme:
    """The scheme that the site has set, for names, colours and times.

    Raises:
        SettingsError: it can't be used.
    """
    return load_scheme(load_settings().acuity_scheme)


def contrast_with_white(colour: str) -> float:
    """The contrast ratio (1 to 21) of white words on a colour `#rrggbb`. WCAG 2.2, "relative luminance"."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _level(facts: dict[str, Any]) -> AcuityLevel:
    """One level; ValueError names what can't be shown."""
    level, icon, colour, minutes = facts["level"], facts["icon"], facts["colour"], facts.get("seen_within")
    if not _ICON.fullmatch(icon):
        raise ValueError(f"level {level}: icon {icon!r} is no name of a Material Symbol")
    if not _COLOUR.fullmatch(colour) or contrast_with_white(colour) < CONTRAST:
        raise ValueError(f"level {level}: colour {colour!r} is not #rrggbb, or too pale for white words")
    if minutes is not None and (not isinstance(minutes, int) or minutes < 0):
        raise ValueError(f"level {level}: seen_within {minutes!r} is no number of minutes")
    return AcuityLevel(level, str(facts.get("code", level)), icon, colour, minutes)
