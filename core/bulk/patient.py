"""Age and sex from the cells of a table: read carefully, unknown rather than guessed."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from core.notes import Note, Sex

AGE_NAMES = ("age", "年龄", "患者年龄", "patient age", "patient_age", "age_years", "age (years)")
SEX_NAMES = ("sex", "gender", "性别", "患者性别", "patient sex", "patient_sex")
SEXES: dict[str, Sex] = {
    "f": "female", "female": "female", "woman": "female", "girl": "female", "女": "female", "女性": "female",
    "m": "male", "male": "male", "man": "male", "boy": "male", "男": "male", "男性": "male",
}  # fmt: skip
OLDEST = 130.0
# Units a year holds; a bare number is years.
UNITS = {
    1.0: ("", "y", "yo", "y/o", "yr", "yrs", "year", "years", "year old", "years old", "岁", "周岁", "年"),
    12.0: ("mo", "mos", "month", "months", "month old", "months old", "月", "个月", "月龄"),
    52.18: ("w", "wk", "wks", "week", "weeks", "week old", "weeks old", "周", "星期"),
    365.25: ("d", "day", "days", "day old", "days old", "天", "日", "日龄"),
}
YEARS = {unit: 1 / count for count, units in UNITS.items() for unit in units}
AMOUNT = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)[ -]?([^\d.]*)")


def read_sex(cell: object) -> Sex | None:
    """`female` or `male` where the cell says so, in Chinese or English."""
    return SEXES.get(cell.strip().casefold()) if isinstance(cell, str) else None


def read_age(cell: object) -> float | None:
    """Age in years (0 to 130) where the cell says it: `67`, `67岁`, `3 months`, `2天`; none for anything else."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return _plausible(float(cell))
    return _age_of_text(cell) if isinstance(cell, str) else None


@lru_cache(maxsize=4096)
def _age_of_text(text: str) -> float | None:
    found = AMOUNT.fullmatch(text.strip().casefold())
    if not found or (years := YEARS.get(found[2].strip().replace("-", " "))) is None:
        return None
    return _plausible(float(found[1]) * years)


def _plausible(years: float) -> float | None:
    return years if math.isfinite(years) and 0 <= years <= OLDEST else None


def make_notes(
    texts: Sequence[object], ages: Sequence[object] | None = None, sexes: Sequence[object] | None = None
) -> list[Note]:
    """One note a row; a text cell that is empty or missing gives a note with an empty text."""
    words = [cell if type(cell) is str else _as_text(cell) for cell in texts]
    if ages is None and sexes is None:
        return [Note(text) for text in words]
    years = [None] * len(words) if ages is None else [read_age(cell) for cell in ages]
    kinds = [None] * len(words) if sexes is None else [read_sex(cell) for cell in sexes]
    return [Note(*parts) for parts in zip(words, years, kinds, strict=True)]


def _as_text(cell: object) -> str:
    missing = cell is None or (isinstance(cell, float) and math.isnan(cell))
    return "" if missing else str(cell)
