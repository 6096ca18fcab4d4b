"""`triage classify` over a folder, killed at random: every file is whole, and none that was there is done again."""

import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from core.settings import REPOSITORY
from tests.kills.services import Service

pytestmark = pytest.mark.kills
KILLS, SEED = 10, 20261130


def classify(source: Path, target: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "core.cli", "classify", str(source), str(target)]
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)


def files(target: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in target.glob("*.*")}


def finished(target: Path) -> dict[str, tuple[int, int]]:
    """The files that are said to be done: which each is, and when it was written."""
    found = {}
    for word in (target / "_triage").glob("*.done"):
        facts = (target / word.stem).stat()
        found[word.stem] = (facts.st_ino, facts.st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def source(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table twice: as csv and as parquet."""
    folder = tmp_path_factory.mktemp("folder")
    (folder / "a.csv").write_bytes(notes.read_bytes())
    options = pa_csv.ParseOptions(newlines_in_values=True)
    pq.write_table(pa_csv.read_csv(notes, parse_options=options), folder / "b.parquet", row_group_size=5000)
    return folder


def test_a_folder_whose_run_is_killed_again_and_again_comes_out_as_undisturbed(
    source: Path, environment: Mapping[str, str], endpoint: Service, tmp_path: Path
) -> None:
    undisturbed, target = tmp_path / "undisturbed", tmp_path / "out"
    assert classify(source, undisturbed, environment).wait(600) == 0
    chance, kept, killed = random.Random(SEED), {}, 0
    for _ in range(KILLS):
        child = classify(source, target, environment)
        try:
            child.wait(chance.uniform(1.5, 4))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.wait()
        now = finished(target)
        assert kept.items() <= now.items(), "a finished file was lost or done again"
        kept = now
    assert kept
    assert killed >= 3
    assert classify(source, target, environment).wait(600) == 0
    assert kept.items() <= finished(target).items()
    assert files(target) == files(undisturbed)
