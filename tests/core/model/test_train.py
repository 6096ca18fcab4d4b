import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.embedding.client import Embedder
from core.errors import TrainingError
from core.model.bundle import Bundle, load_bundle
from core.model.classifier import TextClassifier
from core.model.labelled import LabelledTable
from core.model.train import _reference, train_bundle
from tests.conftest import SMALL_RECIPE


def test_a_bundle_holds_heads_figures_and_card(small_bundle: tuple[Path, Bundle]) -> None:
    folder, bundle = small_bundle
    assert set(bundle.heads) == {"department", "acuity"}
    for facts in bundle.manifest.tasks.values():
        assert facts["chosen"] in facts["log_losses"]
        assert len(facts["log_losses"]) >= 8
        assert 0 <= facts["held_out"]["top1"] <= 1
        assert facts["pca"]["components"] < facts["pca"]["dimension"]
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{bundle.manifest.tasks['department']['held_out']['top1']:.3f}"[:4] in card


def test_the_small_bundle_learned_something(small_bundle: tuple[Path, Bundle], embedded: Embedder) -> None:
    _, bundle = small_bundle
    department = TextClassifier(bundle, embedded, "department")
    texts = ["牙齿疼了两天，牙龈肿了", "itchy red rash on both arms", "我不想活了，每天都很难过", "crushing chest pain"]
    assert department.predict(texts).tolist() == ["dentistry", "dermatology", "psychiatry", "cardiology"]
    probabilities = department.predict_proba(texts)
    assert probabilities.shape == (4, len(department.classes_))
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_no_text_is_in_the_bundle_but_those_to_be_shown(small_bundle: tuple[Path, Bundle], small_table: Path) -> None:
    folder, _ = small_bundle
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    with np.load(folder / "reference.npz") as stored:
        kept += b"".join(stored[name].tobytes() for name in stored.files)
    table = pd.read_csv(small_table)
    table = table[table["text"].str.len() >= 20]
    found = table["text"].map(lambda text: text[:20].encode() in kept)
    assert found[table["source"] == "starter"].mean() > 0.8  # those held out are not there
    assert not found[table["source"] == "site"].any()


def test_identifiers_in_texts_that_may_be_shown_are_masked_before_they_are_kept() -> None:
    texts = np.array(["张建国先生，电话13812345678，牙疼", "Tel 07700 900123, itchy rash"])
    names = np.array(["starter", "starter"])
    table = LabelledTable(
        texts, {"department": np.array(["dentistry", "dermatology"])}, names, np.array(["zh", "en"]), {}
    )
    kept = _reference(table, np.eye(2, dtype=np.float32), np.arange(2), SMALL_RECIPE)
    assert kept is not None
    assert set(kept.texts) == {"[姓名]先生，电话[电话]，牙疼", "Tel [phone], itchy rash"}


def test_reference_notes_are_vectors_labels_and_texts(small_bundle: tuple[Path, Bundle]) -> None:
    reference = load_bundle(small_bundle[0]).reference
    assert reference is not None
    assert len(reference.texts) == len(reference.vectors)
    assert {bool(text) for text in reference.texts} == {True, False}
    assert reference.vectors.dtype == np.float16
    assert set(reference.labels) == {"department", "acuity", "source", "language"}
    assert {len(column) for column in reference.labels.values()} == {len(reference.vectors)}


def test_a_second_run_embeds_nothing_and_gives_the_same_heads(
    small_bundle: tuple[Path, Bundle],
    small_table: Path,
    embedded: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a text was embedded again")

    monkeypatch.setattr(embedded._line, "rows", refuse)
    again = train_bundle([small_table], tmp_path / "again", embedded, SMALL_RECIPE)
    first = small_bundle[1]
    for task, head in again.heads.items():
        assert np.array_equal(head.thresholds, first.heads[task].thresholds)


def test_the_reference_can_be_left_out(small_table: Path, embedded: Embedder, tmp_path: Path) -> None:
    recipe = dataclasses.replace(SMALL_RECIPE, reference=0, tasks=("department",))
    train_bundle([small_table], tmp_path / "bare", embedded, recipe)
    assert load_bundle(tmp_path / "bare").reference is None
    assert not (tmp_path / "bare" / "reference.npz").exists()


def test_heads_on_pca_are_chosen_when_asked(small_table: Path, embedded: Embedder, tmp_path: Path) -> None:
    recipe = dataclasses.replace(SMALL_RECIPE, pca=0.9, tasks=("department",))
    bundle = train_bundle([small_table], tmp_path / "pca", embedded, recipe)
    assert bundle.manifest.tasks["department"]["chosen"].startswith("pca logistic")


def test_rows_of_a_test_split_are_never_trained_on(small_table: Path, embedded: Embedder, tmp_path: Path) -> None:
    frame = pd.read_csv(small_table)
    frame.loc[frame.index[::5], "split"] = "test"
    frame.to_csv(tmp_path / "t.csv", index=False)
    recipe = dataclasses.replace(SMALL_RECIPE, tasks=("department",))
    bundle = train_bundle([tmp_path / "t.csv"], tmp_path / "b", embedded, recipe)
    assert bundle.manifest.data["left_out"]["split is test"] == len(frame.index[::5])
    assert bundle.manifest.data["notes"] == len(frame) - len(frame.index[::5])


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (["a"] * 12 + ["b"] * 3, "fewer than 10 notes: b"),
        (["a"] * 15, "only one class"),
        ([""] * 15, "No row has a label for department"),
    ],
)
def test_labels_that_teach_nothing_are_refused_by_name(
    labels: list[str], complaint: str, embedded: Embedder, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    pd.DataFrame({"text": [f"note number {i} about a knee" for i in range(15)], "department": labels}).to_csv(table)
    recipe = dataclasses.replace(SMALL_RECIPE, tasks=("department",), merge_small=None)
    with pytest.raises(TrainingError, match=complaint):
        train_bundle([table], tmp_path / "out", embedded, recipe)
    assert not (tmp_path / "out").exists()


def test_the_manifest_is_plain_json(small_bundle: tuple[Path, Bundle]) -> None:
    facts = json.loads((small_bundle[0] / "manifest.json").read_text(encoding="utf-8"))
    assert facts["space"]["dimension"] == 384
    assert set(facts["files"]) >= {"department.joblib", "acuity.joblib", "MODEL_CARD.md", "reference.npz"}
