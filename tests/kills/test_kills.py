"""`triage classify` on 50,000 rows, killed at random moments and in the middle of writes, loses and repeats nothing."""

import csv
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.bulk.classify import rows_of_a_shard
from core.settings import REPOSITORY
from tests.kills.conftest import ROWS
from tests.kills.services import Service

pytestmark = pytest.mark.kills
KILLS, SEED = 30, 20261129
# Runs `triage` and kills it in its nth rename: before, or just after. Every durable write ends in one.
KILLED_IN_A_RENAME = """
import os, signal, sys
from pathlib import Path
from core.cli import main
left, after, real = int(sys.argv.pop(1)), sys.argv.pop(1) == "after", Path.replace
def replace(self, target):
    global left
    left -= 1
    if left == 0 and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(self, target)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
Path.replace = replace
main()
"""


@pytest.fixture(scope="module")
def undisturbed(notes: Path, environment: Mapping[str, str]) -> bytes:
    target = notes.with_name("undisturbed.csv")
    assert classify(notes, target, environment).wait(600) == 0
    content = target.read_bytes()
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [str(number) for number in range(ROWS)]
    assert {row["status"] for row in rows if row["text"]} == {"ok"}
    return content


def classify(notes: Path, target: Path, environment: Mapping[str, str], *kill: str) -> subprocess.Popen[bytes]:
    program = ["-c", KILLED_IN_A_RENAME, *kill] if kill else ["-m", "core.cli"]
    command = [sys.executable, *program, "classify", str(notes), str(target)]
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)


def finished(target: Path) -> dict[str, tuple[int, int]]:
    """The finished shards, by name: which file each is, and when it was written."""
    found = {}
    for path in target.with_name(f"{target.name}.parts").glob("[0-9]*.parquet"):
        facts = path.stat()
        found[path.name] = (facts.st_ino, facts.st_mtime_ns)
    return found


def test_thirty_kills_at_random_moments(
    notes: Path, undisturbed: bytes, environment: Mapping[str, str], endpoint: Service, cache: Service, tmp_path: Path
) -> None:
    chance, kills, runs = random.Random(SEED), 0, 0
    while kills < KILLS:
        runs += 1
        target, kept = tmp_path / f"out{runs}.csv", {}
        while not target.exists():
            child = classify(notes, target, environment)
            try:
                child.wait(chance.uniform(1.5, 6))
            except subprocess.TimeoutExpired:
                victim = chance.choice(["run", "run", "run", "endpoint", "cache"])
                kills += 1
                if victim != "run":
                    service = endpoint if victim == "endpoint" else cache
                    service.kill()
                    time.sleep(chance.uniform(0, 1))
                    service.start()
                    time.sleep(chance.uniform(0, 2))
                child.send_signal(signal.SIGKILL)
                child.wait()
            else:
                assert child.returncode == 0
            now = finished(target)
            if not target.exists():
                assert kept.items() <= now.items(), "a finished shard was lost or done again"
                kept = now
        assert target.read_bytes() == undisturbed
        parts = target.with_name(f"{target.name}.parts")
        if parts.exists():  # killed when the target was in its place and the folder not yet removed
            assert classify(notes, target, environment).wait(120) == 0
            assert target.read_bytes() == undisturbed
        assert not parts.exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_kills_in_the_middle_of_a_rename(
    notes: Path, undisturbed: bytes, environment: Mapping[str, str], tmp_path: Path, when: str
) -> None:
    """The first rename is the manifest's, the last the target's; those between are shards'."""
    target, kept = tmp_path / "out.csv", {}
    for nth in (1, 2, 3, 2, 3, 1):
        child = classify(notes, target, environment, str(nth), when)
        assert child.wait(120) == -signal.SIGKILL
        now = finished(target)
        assert kept.items() <= now.items(), "a finished shard was lost or done again"
        kept = now
    assert classify(notes, target, environment).wait(300) == 0
    assert target.read_bytes() == undisturbed


def test_a_kill_in_the_last_rename_leaves_the_whole_target_or_all_shards(
    notes: Path, undisturbed: bytes, environment: Mapping[str, str], tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    shards = -(-ROWS // rows_of_a_shard(notes.stat().st_size, ROWS))
    last = 1 + shards + 1  # manifest, shards, target
    assert classify(notes, target, environment, str(last), "before").wait(300) == -signal.SIGKILL
    assert not target.exists()
    kept = finished(target)
    assert len(kept) == shards
    assert classify(notes, target, environment, "1", "after").wait(300) == -signal.SIGKILL
    assert target.read_bytes() == undisturbed  # in its place, the folder of parts not yet removed
    assert finished(target) == kept
    assert classify(notes, target, environment).wait(300) == 0
    assert target.read_bytes() == undisturbed
    assert not target.with_name("out.csv.parts").exists()
