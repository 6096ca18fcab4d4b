"""The default bundle beside plain baselines, on rows that no training saw (`split` = `test`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from core.model.evaluate import evaluate
from core.settings import REPOSITORY, load_settings
from core.triage import TriageDesk

DATA = REPOSITORY.parent / "shared" / "data"
TABLES = ("zh_cmd_test.csv", "en_ktas_test.csv", "en_nhamcs.parquet")


def quality(folder: Path, scale: float) -> dict[str, Any]:
    """Figures of the default bundle on each test table, and of TF-IDF baselines trained on the same NHAMCS rows."""
    if not DATA.is_dir():
        return {"bench": "quality", "skipped": "the labelled tables are not beside the checkout"}
    found: dict[str, Any] = {"bench": "quality"}
    with TriageDesk.open(load_settings()) as desk:
        for name in TABLES:
            rows = _table(name, "test")
            rows = rows.sample(max(50, int(len(rows) * scale)), random_state=0) if scale < 1 else rows
            found[name] = dict(_figures(evaluate(rows, desk).as_dict()))
    found["baselines en_nhamcs.parquet"] = _baselines()
    return found


def _table(name: str, split: str) -> pd.DataFrame:
    path = DATA / name
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return table[table["split"] == split]


def _figures(evaluation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for task, scores in evaluation["tasks"].items():
        if scores["rows"]:
            kept = {name: value for name, value in scores.items() if isinstance(value, int | float | list | tuple)}
            yield task, {name: value for name, value in kept.items() if name != "reliability"}
    yield "review_rate", evaluation["review_rate"]


def _baselines() -> dict[str, float]:
    """Word TF-IDF with a linear SVM for conditions, with balanced logistic regression for acuity."""
    train, test = _table("en_nhamcs.parquet", "train"), _table("en_nhamcs.parquet", "test")
    known, asked = train.dropna(subset="condition"), test.dropna(subset="condition")
    machine = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(known["text"], known["condition"])
    known, wanted = train.dropna(subset="acuity"), test.dropna(subset="acuity")
    regression = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=300, class_weight="balanced"))
    decided = regression.fit(known["text"], known["acuity"].astype(int)).predict(wanted["text"])
    truth = wanted["acuity"].astype(int).to_numpy()
    return {
        "condition_accuracy": round(float(np.mean(machine.predict(asked["text"]) == asked["condition"])), 4),
        "acuity_band_accuracy": round(float(np.mean(_band(decided) == _band(truth))), 4),
        "acuity_emergency_recall": round(float(np.mean(decided[truth <= 2] <= 2)), 4),
    }


def _band(levels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Emergency (1-2), urgent (3), the rest (4-5)."""
    return np.digitize(levels, [3, 4])
