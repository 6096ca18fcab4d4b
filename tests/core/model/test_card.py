"""The model card says what the manifest says, and no figure more."""

import json
import re
from typing import Any

import numpy as np
import pytest

from core.model.card import model_card
from core.model.card_json import model_card_json
from core.model.metrics import TaskPredictions, score


def scored(task: str, classes: tuple[str, ...], rows: int = 60, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(classes)), rows)
    truth = random.choice(np.array(classes, dtype=object), rows)
    return score(
        TaskPredictions(task, classes, truth, probabilities, probabilities > 0.2, probabilities.argmax(1))
    ).as_dict()


@pytest.fixture
def facts() -> dict[str, Any]:
    levels = ("1", "2", "3", "4", "5")
    source = {"rows": 1234, "languages": ["en", "zh"], "labelled": {"acuity": 1200}, "origin": "MIT, here"}
    return {
        "name": "default",
        "version": "20260101-000000-abcdef",
        "created": "2026-01-01T00:00:00+00:00",
        "commit": "0123abc",
        "space": {"model": "intfloat/some-model", "dimension": 384, "instruction": "", "max_tokens": 512},
        "space_id": "some-model-384-00000000",
        "libraries": {"scikit-learn": "1.9.1"},
        "data": {
            "notes": 1234,
            "left_out": {"split is test": 20},
            "sources": {"clinic|a": source},
        },
        "tasks": {
            "acuity": {
                "classes": list(levels),
                "coverage": 0.9,
                "chosen": "linear svm",
                "log_losses": {"linear svm": 1.1234, "neighbours": 1.5},
                "selection_rows": 800,
                "trained_on": 1080,
                "calibration": "temperature",
                "pca": {
                    "variance": 0.95,
                    "components": 96,
                    "dimension": 384,
                    "macro_f1": 0.51,
                    "macro_f1_without": 0.52,
                    "vector_bytes": 384,
                    "vector_bytes_without": 1536,
                },
                "held_out": scored("acuity", levels),
                "held_out_by_language": {"zh": scored("acuity", levels, 20, 1)},
                "left_out": {"clinic|a": scored("acuity", levels, 40, 2) | {"baseline": {"top1": 0.4321}}},
            }
        },
    }


def test_the_card_has_its_sections(facts: dict[str, Any]) -> None:
    headings = re.findall(r"^## (.+)$", model_card(facts), re.MULTILINE)
    assert headings == [
        "Intended use",
        "Data",
        "Results on held-out rows",
        "Results on sources left out of training",
        "Calibration on held-out rows",
        "Acuity: under-triage and over-triage",
        "Labels of acuity",
        "How it was trained",
        "What PCA would save",
        "Known limits",
    ]


def test_results_stand_by_task_and_language_with_their_intervals(facts: dict[str, Any]) -> None:
    card = model_card(facts)
    whole = facts["tasks"]["acuity"]["held_out"]
    low, high = whole["top1_interval"]
    assert f"| acuity | all | 60 | {100 * whole['top1']:.1f} % [{100 * low:.1f}, {100 * high:.1f}] |" in card
    assert "| acuity | zh | 20 |" in card


def test_sources_stand_with_counts_and_licence_and_cannot_break_their_table(facts: dict[str, Any]) -> None:
    assert "| clinic\\|a | 1,234 | en, zh | 1,200 | MIT, here |" in model_card(facts)


def test_every_candidate_stands_with_its_log_loss(facts: dict[str, Any]) -> None:
    card = model_card(facts)
    assert "| linear svm | 1.1234 | chosen |" in card
    assert "| neighbours | 1.5000 |  |" in card


def test_pca_says_what_it_saves_in_bytes(facts: dict[str, Any]) -> None:
    assert "| acuity | 95 % | 96 of 384 | 0.510 | 0.520 | 1,152 of 1,536 (75 %) |" in model_card(facts)


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head(facts: dict[str, Any]) -> None:
    for table in re.findall(r"(?:^\|.*\|\n?)+", model_card(facts), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1


def test_the_same_facts_give_the_same_card(facts: dict[str, Any]) -> None:
    assert model_card(facts) == model_card(facts)


def test_a_card_of_nothing_holds_no_figure() -> None:
    card = model_card({"name": "empty"})
    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == ["Intended use", "Known limits"]
    assert "%" not in card
    assert "None" not in card


def test_what_the_facts_lack_is_left_out(facts: dict[str, Any]) -> None:
    del facts["tasks"]["acuity"]["held_out"]
    del facts["tasks"]["acuity"]["held_out_by_language"]
    del facts["tasks"]["acuity"]["left_out"]
    del facts["tasks"]["acuity"]["pca"]
    card = model_card(facts)
    assert "Results" not in card
    assert "PCA" not in card
    assert "nan" not in card


def test_the_card_tells_of_an_expert_of_its_own_for_trusted_notes(facts: dict[str, Any]) -> None:
    assert "expert" not in model_card(facts)
    facts["tasks"]["acuity"]["trusted"] = {"notes": 2302, "chosen": "text", "share": [0.0, 0.8]}
    said = model_card(facts)
    assert "text, 2,302 rows" in said
    assert "0% of the say" in said
    assert "80% where like these" in said


def test_sources_left_out_stand_in_the_card(facts: dict[str, Any]) -> None:
    card = model_card(facts)
    section = card.split("## Results on sources left out of training")[1].split("##")[0]
    assert "| acuity | clinic\\|a | 40 |" in section
    assert "43.2 %" in section


def test_the_card_for_systems_says_the_same_and_fills_nothing_in(facts: dict[str, Any]) -> None:
    card = json.loads(model_card_json(facts))
    assert card["release_info"]["release_version"] == facts["version"]
    metrics, acuity = card["key_metrics"], facts["tasks"]["acuity"]
    assert metrics["usefulness_usability_efficacy"]["result"]["acuity"]["top1"] == acuity["held_out"]["top1"]
    assert metrics["sources_left_out"]["result"]["acuity"]["clinic|a"]["baseline"] == {"top1": 0.4321}
    assert set(metrics["fairness_equity"]["result"]["acuity"]["language"]) == {"zh"}
    empty = json.loads(model_card_json({}))
    assert empty["basic_info"]["model_name"] is None
    assert empty["key_metrics"]["safety_reliability"]["result"] == {}
