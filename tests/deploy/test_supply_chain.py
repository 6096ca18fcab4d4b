"""What the desk is made of: a bill of materials, licences that allow the use, known weaknesses."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from deploy import known_weaknesses, licences

LOCK = (REPOSITORY / "requirements" / "desk.txt").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", LOCK, re.MULTILINE))


def bill(target: Path) -> str:
    """What `make sbom` writes."""
    lines = subprocess.run(
        ["make", "-n", "-o", ".venv/.dev", "sbom"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.replace("\\\n", " ")
    command = next(line for line in lines.splitlines() if "cyclonedx-py" in line)
    subprocess.run(
        ["bash", "-c", command.replace("--output-file sbom.json", f"--output-file {target}")],
        cwd=REPOSITORY, check=True, capture_output=True,
    )  # fmt: skip
    return target.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_bill_of_materials_holds_every_locked_package_and_is_the_same_each_time(tmp_path: Path) -> None:
    text = bill(tmp_path / "one.json")  # the tool checks it against CycloneDX's schema
    assert bill(tmp_path / "two.json") == text
    found = json.loads(text)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["name"] == "triage-desk"
    assert {part["name"]: part["version"] for part in found["components"]} == PINS
    assert all(part["externalReferences"][0]["hashes"] for part in found["components"])
    assert str(REPOSITORY) not in text


@pytest.fixture(scope="module")
def stated() -> list[tuple[str, str, str]]:
    return licences.rows()


def test_the_table_of_licences_is_up_to_date(stated: list[tuple[str, str, str]]) -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(stated), "run: make licences"


def test_every_licence_allows_the_use(stated: list[tuple[str, str, str]]) -> None:
    assert {name: licences.refused(licence) for name, _, licence in stated if licences.refused(licence)} == {}
    assert len(stated) > 80


@pytest.mark.parametrize(
    ("licence", "parts"),
    [("MIT", []), ("Apache-2.0 OR BSD-3-Clause", []), ("BSD-3-Clause and Public-Domain", []),
     ("GNU Lesser General Public License v2 or later (LGPLv2+)", []), ("AGPL-3.0-only", ["AGPL-3.0-only"]),
     ("MIT AND SSPL-1.0", ["SSPL-1.0"]), ("UNKNOWN", ["UNKNOWN"]), ("", [""]),
     ("GNU General Public License v3 (GPLv3)", ["GNU General Public License v3 (GPLv3)"])],
)  # fmt: skip
def test_a_licence_that_nobody_has_looked_at_is_refused(licence: str, parts: list[str]) -> None:
    assert licences.refused(licence) == parts


WEAK = {"name": "weak", "version": "1.0", "vulns": [{"id": "PYSEC-0000-1", "fix_versions": ["1.1"]}]}
WELL = {"name": "well", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ([[]], 0, "were not looked for"),
        ([[UNKNOWN]], 0, "were not looked for"),
        ([[WELL], [WELL]], 0, "1 packages looked up, 0 with known weaknesses"),
        ([[WELL], [WELL, WEAK]], 1, "weak 1.0: PYSEC-0000-1, repaired in 1.1"),
        ([[WELL], [WELL, UNKNOWN]], 0, "nothing could be learnt of unknown"),
    ],
)
def test_what_pip_audit_says_is_passed_on(
    answers: list[list[dict[str, object]]], code: int, said: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    asked: list[str] = []

    def audited(requirements: str) -> list[dict[str, object]]:
        asked.append(requirements)
        return answers[len(asked) - 1]

    monkeypatch.setattr(known_weaknesses, "audited", audited)
    assert known_weaknesses.main() == code
    assert said in capsys.readouterr().out
    assert asked[0].count("==") == 1, "one package is asked for before all"
    assert asked[1:] in ([], [LOCK])


def test_lint_asks_for_known_weaknesses() -> None:
    shown = subprocess.run(
        ["make", "-n", "-o", ".venv/.dev", "lint"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert "deploy/known_weaknesses.py" in shown
