"""Tables of self-made notes, as wards have them: varied, in two languages, saved by Excel in gb18030."""

import itertools
import random
from pathlib import Path

import pandas as pd

from core.settings import REPOSITORY

STARTER = REPOSITORY / "models" / "starter"
SINCE_ZH = ("", "从昨晚开始。", "两天了。", "上周起。", "反复一个月，")
SINCE_EN = ("", "Since last night. ", "For two days. ", "On and off for a month. ", "Again this morning. ")


def varied_notes(rows: int) -> pd.DataFrame:
    """`rows` notes made of the starter notes with another beginning, age and number: none is there twice."""
    notes = pd.concat([pd.read_csv(STARTER / f"notes_{language}.csv") for language in ("zh", "en")])
    notes = notes.sample(frac=1, random_state=3)
    chance = random.Random(3)
    taken = list(itertools.islice(itertools.cycle(notes.itertuples()), rows))
    openings = [chance.choice(SINCE_ZH if note.language == "zh" else SINCE_EN) for note in taken]
    return pd.DataFrame(
        {
            "编号": [f"{number:05d}" for number in range(1, rows + 1)],
            "主诉": [f"{opening}{note.text}" for opening, note in zip(openings, taken, strict=True)],
            "年龄": [chance.choice(["", chance.randint(1, 95)]) for _ in taken],
            "department": [note.department for note in taken],
        }
    )


def write_gb18030(path: Path, rows: int) -> Path:
    """The notes as a csv in the encoding of Chinese Excel."""
    varied_notes(rows).to_csv(path, index=False, encoding="gb18030")
    return path
