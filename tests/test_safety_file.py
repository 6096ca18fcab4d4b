"""The hazard log of docs/safety: each control has tests that exist, and the risks are those of the matrix."""

import ast
import re
from functools import cache

import pytest

from core.settings import REPOSITORY

LOG = (REPOSITORY / "docs" / "safety" / "hazard_log.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## (?=H\d)", LOG, flags=re.MULTILINE)
HAZARDS = {section.split(".")[0]: section for section in SECTIONS[1:]}
FIELDS = ("Cause", "Effect", "Risk before", "Control", "Risk after", "Tests")
SEVERITIES = ("minor", "significant", "considerable", "major", "catastrophic")
RISK = re.compile(r"severity (\w+), likelihood ([\w ]+): (\d)")


def cells(hazard: str) -> dict[str, str]:
    return dict(re.findall(r"^\| ([A-Z][\w ]+) \| (.+) \|$", HAZARDS[hazard].split("\n## ")[0], re.MULTILINE))


def matrix() -> dict[str, list[int]]:
    rows = re.findall(r"^\| (very high|high|medium|low|very low) \| (.+) \|$", SECTIONS[0], re.MULTILINE)
    return {name: [int(cell) for cell in row.split("|")] for name, row in rows}


@cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_the_log_has_the_hazards_of_the_job() -> None:
    assert len(HAZARDS) >= 15
    assert list(HAZARDS) == [f"H{number:02}" for number in range(1, len(HAZARDS) + 1)]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_is_told_in_full(hazard: str) -> None:
    assert tuple(cells(hazard)) == FIELDS


@pytest.mark.parametrize("hazard", HAZARDS)
def test_risks_are_those_of_the_matrix_and_no_control_makes_them_worse(hazard: str) -> None:
    risks = []
    for field in ("Risk before", "Risk after"):
        found = RISK.search(cells(hazard)[field])
        assert found
        severity, likelihood, risk = found.groups()
        assert int(risk) == matrix()[likelihood][SEVERITIES.index(severity)]
        risks.append(int(risk))
    assert risks[1] <= risks[0]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_tests_of_a_control_exist(hazard: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells(hazard)["Tests"])
    assert named
    for path, test in named:
        assert test in defined_in(path), f"{path}::{test}"
