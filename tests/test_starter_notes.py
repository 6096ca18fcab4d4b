"""The notes that the project writes itself: complete, balanced, of the right length, none like another."""

import re
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from core.embedding.client import Embedder
from core.language import chinese_shares
from core.model.evaluation_table import notes_of
from core.settings import REPOSITORY
from core.triage import TriageDesk, composed
from core.wording import Wording

STARTER, VIGNETTES = REPOSITORY / "models" / "starter", REPOSITORY / "models" / "vignettes"
COLUMNS = ["text", "language", "department", "acuity", "condition", "source", "split", "age", "sex", "style"]
STYLES = {"patient", "relative", "nurse", "clinician", "typo", "dialect", "mixed"}
DEPARTMENTS, CONDITIONS = 21, 16
SHARED = 12  # words, or Chinese characters, in a row
ALIKE = 0.97  # cosine


def read(folder: str) -> pd.DataFrame:
    paths = sorted((REPOSITORY / "models" / folder).glob("*.csv"))
    return pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths], ignore_index=True)


NOTES = {"starter": read("starter"), "vignettes": read("vignettes")}
LENGTHS = {"starter": (8, 200), "vignettes": (60, 700)}


@pytest.fixture(params=NOTES)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_cell_is_of_its_kind(folder: str) -> None:
    notes = NOTES[folder]
    assert list(notes.columns) == COLUMNS
    assert set(notes["language"]) == {"en", "zh"}
    assert set(notes["source"]) == {"starter" if folder == "starter" else "vignette"}
    assert set(notes["split"]) == {"train"}
    assert set(notes["acuity"]) == set("12345")
    assert set(notes["sex"]) <= {"", "female", "male"}
    assert set(notes["style"]) <= STYLES
    assert notes["age"].str.fullmatch(r"(\d+(\.\d+)?)?").all()
    for task in ("department", "condition"):
        known = [label for label in set(notes[task]) - {""} if Wording("zh").label(task, label) != label]
        assert len(known) == len(set(notes[task]) - {""})


def test_every_note_is_of_the_stated_length(folder: str) -> None:
    low, high = LENGTHS[folder]
    assert NOTES[folder]["text"].str.len().between(low, high).all()


def test_a_note_is_in_the_language_that_it_says(folder: str) -> None:
    notes = NOTES[folder]
    chinese = chinese_shares(notes["text"].tolist()) >= 0.5
    assert (chinese == (notes["language"] == "zh")).mean() > 0.99


def test_there_are_enough_of_everything() -> None:
    notes = NOTES["starter"]
    assert len(notes) >= 2400
    by_department = notes.groupby(["department", "language"]).size()
    assert len(by_department) == 2 * DEPARTMENTS
    assert by_department.min() >= 50
    assert notes.groupby("acuity").size().min() >= 240
    by_condition = notes[notes["condition"] != ""].groupby(["condition", "language"]).size()
    assert len(by_condition) == 2 * CONDITIONS
    assert by_condition.min() >= 60, by_condition[by_condition < 60].to_dict()


def grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[\u3400-\u9fff]|[a-z0-9]+", text.lower())
    return {tuple(words[start : start + SHARED]) for start in range(len(words) - SHARED + 1)}


def test_no_two_notes_share_twelve_words() -> None:
    holders: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for text in pd.concat(NOTES.values())["text"]:
        for gram in grams(text):
            holders[gram].add(text)
    assert not [texts for texts in holders.values() if len(texts) > 1][:3]


def test_no_text_stands_twice() -> None:
    assert not pd.concat(NOTES.values())["text"].duplicated().any()


def test_no_two_notes_mean_the_same(desk: TriageDesk, embedded: Embedder) -> None:
    """Vectors are those that the shipped bundle keeps; the few that it does not keep are embedded."""
    notes = pd.concat(NOTES.values(), ignore_index=True)
    texts, _ = composed(notes_of(notes, "text"))
    reference = desk.bundle.reference
    assert reference is not None
    kept = dict(zip(reference.texts, reference.vectors.astype(np.float32), strict=True))
    missing = [text for text in texts if text not in kept]
    assert len(missing) < len(texts) / 5, "the default bundle was trained on other starter notes: make model"
    kept |= dict(zip(missing, embedded.embed(missing, timeout=600).vectors, strict=True))
    vectors = np.array([kept[text] for text in texts])
    for start in range(0, len(vectors), 1000):
        alike = np.argwhere(np.triu(vectors[start : start + 1000] @ vectors.T, start + 1) > ALIKE)
        assert not [(texts[start + a], texts[b]) for a, b in alike][:3]
