"""model_card.json: the model card in the sections of CHAI's Applied Model Card, for systems that read such cards.

Coalition for Health AI, Applied Model Card (draft of November 2024). A pure function of the manifest's facts; what they
do not hold is `null`, never filled in.
"""

import json
from collections.abc import Mapping
from typing import Any

from core.model.card import INTENDED, LIMITS

Facts = Mapping[str, Any]
USEFUL = ("top1", "top3", "macro_f1")
FAIR = ("rows", "top1", "coverage", "emergency_recall", "under_triage")
SAFE = ("emergency_recall", "under_triage", "over_triage", "coverage", "mean_set_size", "ece")


def model_card_json(facts: Facts) -> str:
    """The card as JSON text.

    Args:
        facts: the manifest as JSON types, with the embedding space's short name as `space_id`.
    """
    tasks: Facts = facts.get("tasks", {})
    card = {
        "basic_info": {"model_name": facts.get("name"), "model_developer": "the project's authors"},
        "release_info": {
            "release_stage": "development; no clinical evaluation",
            "release_date": facts.get("created"),
            "release_version": facts.get("version"),
            "regulatory_approval": "none",
        },
        "model_summary": {
            "summary": _line(INTENDED),
            "keywords": ["triage", "acuity", "department", "Chinese", "English"],
        },
        "uses_and_directions": {
            "intended_use_and_workflow": _line(INTENDED),
            "primary_users": ["triage nurse", "department lead", "researcher"],
            "how_to_use": "One note at a time on the Triage page or with `triage assess`; tables: `triage classify`.",
            "target_population": "people who write to a hospital, or whose complaint is written down there",
            "out_of_scope": [
                "use without a person who decides",
                "diagnosis or treatment",
                "lowering an urgency that a rule or a person has raised",
                "notes in a language other than Chinese and English",
            ],
        },
        "warnings": {
            "known_risks_and_limitations": list(LIMITS),
            "known_biases_or_ethical_considerations": "Labels follow where patients posted, what nurses chose and what "
            "was coded first. Sex and ethnicity are not recorded in most sources, so fairness by them is not measured.",
            "clinical_risk_level": "high: a missed emergency can do severe harm; see docs/safety/hazard_log.md",
        },
        "trust_ingredients": {
            "ai_system_facts": {
                "outcomes_and_outputs": {task: found.get("classes") for task, found in tasks.items()},
                "model_type": {task: found.get("chosen") for task, found in tasks.items()},
                "foundation_models": [facts.get("space", {}).get("model")],
                "input_data_type": "text, with age and sex where they are known",
                "development_data": facts.get("data"),
                "bias_mitigation": "Sources and classes are weighed; sentence vectors lose the mean of their language.",
                "ongoing_maintenance": "Retrained with `triage train`; overrides are shown on the Activity page.",
                "security": "SECURITY.md",
            },
            "transparency": {"code": facts.get("commit"), "libraries": facts.get("libraries")},
        },
        "key_metrics": {
            "usefulness_usability_efficacy": _metric(tasks, USEFUL, "the right answer first, or among the first three"),
            "fairness_equity": _by_group(tasks),
            "safety_reliability": _metric(
                tasks, SAFE, "emergencies found, and prediction sets that keep their promise"
            ),
            "sources_left_out": _across(tasks),
        },
    }
    return json.dumps(card, ensure_ascii=False, indent=1) + "\n"


def _metric(tasks: Facts, names: tuple[str, ...], goal: str) -> dict[str, Any]:
    results = {task: _chosen(found.get("held_out", {}), ("rows", *names)) for task, found in tasks.items()}
    return {"goal": goal, "test_type": "held-out rows of the training's sources", "result": results}


def _by_group(tasks: Facts) -> dict[str, Any]:
    results = {
        task: {
            kind: {name: _chosen(scores, FAIR) for name, scores in found.get(f"held_out_by_{kind}", {}).items()}
            for kind in ("language", "source")
        }
        for task, found in tasks.items()
    }
    return {"goal": "the same quality in both languages", "test_type": "held-out rows by group", "result": results}


def _across(tasks: Facts) -> dict[str, Any]:
    results = {
        task: {
            source: _chosen(scores, (*USEFUL, *SAFE)) | {"baseline": scores.get("baseline")}
            for source, scores in found.get("left_out", {}).items()
        }
        for task, found in tasks.items()
    }
    return {"goal": "quality at another site", "test_type": "each source left out of training", "result": results}


def _chosen(scores: Facts, names: tuple[str, ...]) -> dict[str, Any]:
    """These figures with their intervals, as far as there are any."""
    wanted = [key for name in names for key in (name, f"{name}_interval")]
    return {key: scores[key] for key in wanted if scores.get(key) is not None}


def _line(text: str) -> str:
    return " ".join(text.split())
