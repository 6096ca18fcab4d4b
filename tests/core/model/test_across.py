import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from core.model.across import by_left_out_source
from core.model.features import CentredVectors, featurise
from core.model.recipe import Recipe
from core.model.rows import LabelledNotes

RANDOM = np.random.default_rng(0)
WORDS = {"cardiology": "chest pain", "dermatology": "itchy rash", "dentistry": "a tooth aches"}


def notes(sources: dict[str, list[str]], rows: int = 60) -> LabelledNotes:
    """Rows of each source with these labels; a label's vectors lie together whatever the source."""
    labels, names, texts, vectors = [], [], [], []
    for source, known in sources.items():
        for label in known:
            centre = np.eye(8)[sorted(WORDS).index(label)] * 6
            vectors.append(RANDOM.normal(size=(rows, 8)) + centre)
            labels += [label] * rows
            names += [source] * rows
            texts += [f"{WORDS[label]} {number}" for number in range(rows)]
    stacked = np.vstack(vectors).astype(np.float32)
    return LabelledNotes(featurise(stacked, texts), np.array(labels), np.arange(len(labels)), np.array(names))


def left_out(rows: LabelledNotes) -> dict[str, dict[str, object]]:
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(CentredVectors(), LogisticRegression().set_fit_request(sample_weight=True))
    return by_left_out_source("department", rows, model, Recipe(), lambda line: None)


def test_each_source_is_judged_by_what_the_others_taught() -> None:
    found = left_out(notes({"a": list(WORDS), "b": list(WORDS)}))
    assert set(found) == {"a", "b"}
    assert found["a"]["rows"] == 180
    assert found["a"]["top1"] == pytest.approx(1, abs=0.05)
    assert found["a"]["baseline"]["top1"] == pytest.approx(1, abs=0.05)  # type: ignore[index]


def test_a_label_of_one_source_only_counts_as_wrong() -> None:
    found = left_out(notes({"a": ["cardiology", "dermatology"], "b": list(WORDS)}))
    assert found["b"]["top1"] == pytest.approx(2 / 3, abs=0.05)


def test_a_source_of_a_few_rows_is_not_judged() -> None:
    small, large = notes({"a": ["cardiology"]}, rows=20), notes({"b": list(WORDS), "c": list(WORDS)})
    both = LabelledNotes(
        featurise(
            np.vstack([small.features.vectors, large.features.vectors]), ["chest pain"] * (len(small) + len(large))
        ),
        np.concatenate([small.labels, large.labels]),
        np.arange(len(small) + len(large)),
        np.concatenate([small.sources, large.sources]),
    )
    assert set(left_out(both)) == {"b", "c"}
