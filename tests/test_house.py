"""The house rules that no other tool checks."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.settings import REPOSITORY, Settings

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((REPOSITORY / "requirements").glob("*.txt"))
HEAVY = ("streamlit", "sklearn", "pandas", "numpy", "scipy", "openai", "plotly", "core.safety", "re2", "ahocorasick")


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def modules() -> list[Path]:
    return [path for room in ("app", "core", "tests") for path in (REPOSITORY / room).rglob("*.py")]


def locked(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(
    "name",
    ["LICENSE", "CHANGELOG.md", "SECURITY.md", "Makefile", ".ci/run", ".streamlit/config.toml", "app/main.py",
     "app/server.py", "core/triage.py", "core/cli.py", "models/schemes/esi.toml"],
)  # fmt: skip
def test_the_house_has_its_rooms(name: str) -> None:
    assert (REPOSITORY / name).is_file()


def test_no_module_is_over_400_lines() -> None:
    long = {str(path): lines for path in modules() if (lines := len(path.read_bytes().splitlines())) > 400}
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}
    assert not [path for path in modules() if path.stem in vague]


def test_core_imports_neither_app_nor_streamlit() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_packages_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(i|f|-index-url|-extra-index-url|-find-links)\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8").replace("\\\n", "")
    packages = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert packages
    assert not [line for line in packages if "==" not in line or "--hash=sha256:" not in line]


def test_the_locks_hold_every_dependency_of_the_project() -> None:
    def names(listed: list[str]) -> set[str]:
        return {re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", one)[0].lower()) for one in listed}

    desk = names(PROJECT["project"]["dependencies"]) | {"setuptools"}
    dev = names(PROJECT["project"]["optional-dependencies"]["dev"])
    assert desk <= locked(REPOSITORY / "requirements" / "desk.txt")
    assert desk | dev <= locked(REPOSITORY / "requirements" / "dev.txt")


def test_both_locks_pin_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", read(f"requirements/{name}.txt"), re.MULTILINE))

    assert pins("desk") <= pins("dev")


def test_the_readme_documents_every_setting_and_no_other() -> None:
    documented = re.findall(r"^\| `(TRIAGE_[A-Z_]+)` \|", read("README.md"), re.MULTILINE)
    assert sorted(documented) == sorted(f"TRIAGE_{name.upper()}" for name in Settings.model_fields)


def test_the_readme_states_the_defaults_that_settings_have() -> None:
    for name in ("embedding_concurrency", "embedding_timeout"):
        default = f"{Settings.model_fields[name].default:g}"
        assert f"| `TRIAGE_{name.upper()}` | {default} |" in read("README.md")


def test_the_changelog_names_the_version() -> None:
    assert f"## [{PROJECT['project']['version']}]" in read("CHANGELOG.md")


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom core.cli import run\nassert run(['--help']) == 0\n"
        f"sys.exit(', '.join({HEAVY} & sys.modules.keys()) or 0)"
    ).replace(str(HEAVY), str(set(HEAVY)))
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for document in ("README.md", "SECURITY.md", "CHANGELOG.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", read(document))
        assert not [link for link in links if not (REPOSITORY / link).exists()]
