"""Every command of the README does what the README says."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
STARTER = REPOSITORY / "models" / "starter"
DEPARTMENTS = ("cardiology", "dermatology", "dentistry")

NOT_RUN_HERE = {
    "make run": "runs for real in test_make_run_opens_the_desk",
    "make test": "is what runs this test",
    "source .venv/bin/activate": "the commands below run from this environment already",
    "export TRIAGE_EMBEDDING_URL=http://127.0.0.1:30000/v1": "needs a server of the reader's own",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in (*blocks("bash"), *blocks("console")) for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would stand: a table `notes.csv`, and no setting but the data folder."""
    folder = tmp_path_factory.mktemp("reader")
    rows: list[dict[str, str]] = []
    for language in ("en", "zh"):
        with (STARTER / f"notes_{language}.csv").open(encoding="utf-8", newline="") as file:
            rows += [row for row in csv.DictReader(file) if row["department"] in DEPARTMENTS]
    with (folder / "notes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def reader(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return kept | {"PATH": path, "TRIAGE_DATA_DIR": str(folder / "data")}


def test_the_readme_has_commands_and_every_exception_is_one_of_them() -> None:
    assert NOT_RUN_HERE.keys() <= set(commands())
    assert len(commands()) > 10


@pytest.mark.parametrize("command", [command for command in commands() if command not in NOT_RUN_HERE])
def test_a_command_runs(command: str, folder: Path) -> None:
    """One after another, in the README's order: a later one may use what an earlier one made."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env=reader(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if "assess" in command and "--json" in command:
        assert json.loads(done.stdout)["tasks"]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=reader(folder), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cardiology\n"


@pytest.fixture
def make_run(free_port: int, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`make run` on a free port, in a process group of its own that ends with the test."""
    made = subprocess.Popen(
        ["make", "-C", str(REPOSITORY), "run", f"PORT={free_port}"], env=reader(folder), start_new_session=True
    )
    yield made
    if made.poll() is None:
        os.killpg(made.pid, signal.SIGKILL)
    made.wait()


@pytest.mark.skipif(
    not (REPOSITORY / ".venv" / ".desk").exists(), reason="`make run` would set up .venv first; `make test` has done so"
)
def test_make_run_opens_the_desk(make_run: "subprocess.Popen[bytes]", free_port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/", timeout=5) as page:
                assert b"<title>" in page.read()
            break
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline
            assert make_run.poll() is None
            time.sleep(0.2)
    os.killpg(make_run.pid, signal.SIGINT)
    make_run.wait(timeout=30)


def test_make_lists_every_target() -> None:
    shown = subprocess.run(["make", "-C", str(REPOSITORY)], capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "lint", "bench", "test-sglang", "model", "lock", "clean"):
        assert f"make {target} " in shown
