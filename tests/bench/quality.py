"""The default bundle on notes that no training saw, beside plain baselines, and on each source left out of training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from core.answers import EMERGENCY
from core.model.bundle import Manifest
from core.model.evaluate import evaluate
from core.model.evaluation_table import notes_of
from core.model.intervals import share_interval
from core.notes import Assessment
from core.settings import REPOSITORY, load_settings
from core.triage import TriageDesk

DATA = REPOSITORY.parent / "shared" / "data"
MESSAGES = REPOSITORY / "tests" / "data"
NOT_URGENT, SELF_CARE, SEED = 4, 5, 20
TABLES = ("zh_cmd_test.csv", "en_ktas_test.csv", "en_nhamcs.parquet")


def quality(folder: Path, scale: float) -> dict[str, Any]:
    """Figures of the default bundle on each test table, and of TF-IDF baselines trained on the same NHAMCS rows."""
    if not DATA.is_dir():
        return {"bench": "quality", "skipped": "the labelled tables are not beside the checkout"}
    found: dict[str, Any] = {"bench": "quality"}
    with TriageDesk.open(load_settings()) as desk:
        found["left_out"] = left_out(desk.bundle.manifest)
        for name in TABLES:
            rows = _table(name, "test")
            rows = rows.sample(max(50, int(len(rows) * scale)), random_state=0) if scale < 1 else rows
            found[name] = dict(_figures(evaluate(rows, desk).as_dict()))
    found["baselines en_nhamcs.parquet"] = _baselines()
    return found


def left_out(manifest: Manifest) -> dict[str, Any]:
    """What training measured on each source by the same classifiers without it, and by a TF-IDF baseline."""
    return {
        f"{task} {source}": dict(_plain(scores)) | {"baseline": scores["baseline"]}
        for task, facts in manifest.tasks.items()
        for source, scores in facts.get("left_out", {}).items()
    }


def messages(folder: Path, scale: float) -> dict[str, Any]:
    """Messages and vignettes written apart from the training's, labelled by their writer (`tests/data`)."""
    found: dict[str, Any] = {"bench": "messages"}
    with TriageDesk.open(load_settings()) as desk:
        for path in sorted(MESSAGES.glob("messages_*.csv")):
            table = pd.read_csv(path)
            table = table[table["split"] == "test"]
            for source, rows in table.groupby("source"):
                figures = dict(_figures(evaluate(rows.reset_index(drop=True), desk).as_dict()))
                found[f"{path.stem} {source}"] = {"rows": len(rows)} | figures | _safety(rows, desk)
    return found


def _safety(rows: pd.DataFrame, desk: TriageDesk) -> dict[str, Any]:
    """Emergencies that are seen or sent to a person with a red flag, mild notes made emergencies, false red flags."""
    notes = notes_of(rows, "text")
    answers = [each for each in desk.assess_many(notes, timeout=600) if isinstance(each, Assessment)]
    truth = rows["acuity"].to_numpy(dtype=int)
    urgent = np.array([int(each.tasks["acuity"].label) <= EMERGENCY for each in answers])
    flagged = np.array([bool(each.red_flags) for each in answers])
    sent = np.array([each.needs_review for each in answers])
    return {
        "emergencies_found": _share((urgent | flagged & sent)[truth <= EMERGENCY]),
        "emergencies_found_or_sent": _share((urgent | sent)[truth <= EMERGENCY]),
        "self_care_made_emergencies": _share(urgent[truth == SELF_CARE]),
        "not_urgent_made_emergencies": _share(urgent[truth >= NOT_URGENT]),
        "red_flags_on_emergencies": _share(flagged[truth <= EMERGENCY]),
        "red_flags_on_not_urgent": _share(flagged[truth >= NOT_URGENT]),
    }


def _share(hits: np.ndarray[Any, Any]) -> dict[str, Any]:
    interval = share_interval(hits, SEED)
    return {"share": round(float(hits.mean()), 3), "interval": interval, "rows": len(hits)} if len(hits) else {}


def _table(name: str, split: str) -> pd.DataFrame:
    path = DATA / name
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return table[table["split"] == split]


def _figures(evaluation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for task, scores in evaluation["tasks"].items():
        if scores["rows"]:
            yield task, dict(_plain(scores))
    yield "review_rate", evaluation["review_rate"]


def _plain(scores: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The single figures of a task's scores, with their intervals."""
    for name, value in scores.items():
        if isinstance(value, int | float | list | tuple) and name != "reliability":
            yield name, value


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
