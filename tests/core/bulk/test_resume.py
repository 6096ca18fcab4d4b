"""A run that is stopped, by hand or by SIGKILL, goes on where it was; another run is not mixed into it."""

import csv
import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.bulk.classify import classify_table
from core.bulk.run import RunStopped
from core.errors import EndpointUnavailable, TableError
from core.notes import Note
from tests.core.bulk.stub_desk import StubDesk

ROWS, SHARD = 400, 20
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.csv"
    path.write_text("id,text\n" + "".join(f"{i},words {'z' * (i % 9)}\n" for i in range(ROWS)), encoding="utf-8")
    return path


def start(notes: Path, target: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.core.bulk.stub_desk", str(notes), str(target), str(SHARD), str(seconds)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )


def wait_for_shards(target: Path, count: int, child: subprocess.Popen[str]) -> None:
    parts = target.with_name(target.name + ".parts")
    deadline = time.monotonic() + 30
    while len(list(parts.glob("[0-9]*.parquet"))) < count:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def interrupt(notes: Path, target: Path, how: signal.Signals) -> str:
    """Start a run, stop it after three shards; what it said."""
    child = start(notes, target, 0.15)
    try:
        wait_for_shards(target, 3, child)
        child.send_signal(how)
        said = child.communicate(timeout=20)[1]
        assert child.returncode == (1 if how is signal.SIGINT else -how)
        return said
    finally:
        child.kill()
        child.communicate()


def ids(target: Path) -> list[str]:
    with target.open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on_and_asks_only_what_was_not_done(
    notes: Path, tmp_path: Path, how: signal.Signals
) -> None:
    target = tmp_path / "out.csv"
    said = interrupt(notes, target, how)
    assert not target.exists()
    kept = SHARD * len(list((tmp_path / "out.csv.parts").glob("[0-9]*.parquet")))
    if how is signal.SIGINT:
        assert said == f"Stopped. {kept} of {ROWS} rows are done and kept; run the same command again to go on.\n"
    desk = StubDesk()
    report = classify_table(notes, target, desk, shard_rows=SHARD)
    assert report.reused_rows == kept
    assert len(desk.asked) == ROWS - kept
    assert ids(target) == [str(i) for i in range(ROWS)]
    undisturbed = tmp_path / "undisturbed.csv"
    classify_table(notes, undisturbed, StubDesk(), shard_rows=SHARD)
    assert target.read_bytes() == undisturbed.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.csv", "out.csv", "undisturbed.csv"]


@pytest.fixture
def half_done(notes: Path, tmp_path: Path) -> Path:
    """A target whose run was interrupted."""
    target = tmp_path / "out.csv"
    interrupt(notes, target, signal.SIGINT)
    return target


def test_a_changed_input_bundle_or_option_is_refused_with_both_named(notes: Path, half_done: Path) -> None:
    with pytest.raises(
        TableError, match=r"model was stub 1 stub-8 and is stub 2 stub-8 now.*delete .*parts to start over"
    ):
        classify_table(notes, half_done, StubDesk(version="2"), shard_rows=SHARD)
    with pytest.raises(TableError, match="text column was text and is id now"):
        classify_table(notes, half_done, StubDesk(), text_column="id", shard_rows=SHARD)
    notes.write_text(notes.read_text(encoding="utf-8").replace("words", "other"), encoding="utf-8")
    with pytest.raises(TableError, match=r"input was notes.csv \(\w+\) and is notes.csv \(\w+\) now"):
        classify_table(notes, half_done, StubDesk(), shard_rows=SHARD)


def test_a_damaged_shard_is_done_again(notes: Path, half_done: Path) -> None:
    shards = sorted(half_done.with_name("out.csv.parts").glob("[0-9]*.parquet"))
    damaged = bytearray(shards[1].read_bytes())
    damaged[60] ^= 1
    shards[1].write_bytes(damaged)
    report = classify_table(notes, half_done, StubDesk(), shard_rows=SHARD)
    assert report.reused_rows == SHARD * (len(shards) - 1)
    assert ids(half_done) == [str(i) for i in range(ROWS)]


def test_a_damaged_manifest_is_said_and_nothing_is_deleted(notes: Path, half_done: Path) -> None:
    parts = half_done.with_name("out.csv.parts")
    before = sorted(path.name for path in parts.iterdir())
    (parts / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(TableError, match="is damaged"):
        classify_table(notes, half_done, StubDesk(), shard_rows=SHARD)
    assert sorted(path.name for path in parts.iterdir()) == before


def test_a_manifest_with_one_changed_byte_is_noticed(notes: Path, half_done: Path) -> None:
    manifest = half_done.with_name("out.csv.parts") / "manifest.json"
    whole = manifest.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        if changed.split() == whole.split():
            continue  # a blank between words
        manifest.write_bytes(changed)
        with pytest.raises(TableError, match=r"is damaged. Nothing was done or lost"):
            classify_table(notes, half_done, StubDesk(), shard_rows=SHARD)
    manifest.write_bytes(whole)
    assert classify_table(notes, half_done, StubDesk(), shard_rows=SHARD).reused_rows > 0


def test_a_clock_that_jumps_disturbs_no_run(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.cycle([4e9, 0.0, 1.7e9, -5.0])
    monkeypatch.setattr(time, "time", lambda: next(times))
    assert classify_table(notes, tmp_path / "out.csv", StubDesk(), shard_rows=SHARD).rows == ROWS
    assert ids(tmp_path / "out.csv") == [str(i) for i in range(ROWS)]


def test_a_disk_that_fills_up_is_said_and_what_was_done_stays(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        notes, target = tmp_path / "notes.csv", disk / "out.csv"
        lines = "".join(f"{i},{secrets.token_hex(60)}\n" for i in range(ROWS * 10))  # as good as incompressible
        notes.write_text("id,text\n" + lines, encoding="utf-8")
        with pytest.raises(
            TableError, match=r"can't be written \(No space left on device\). [\d,]+ of 4,000 rows are done"
        ):
            classify_table(notes, target, StubDesk(), shard_rows=SHARD)
        assert not target.exists()
        kept = sum(int(path.name.split("-")[1]) for path in disk.glob("out.csv.parts/[0-9]*.parquet"))
        assert kept > 0
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        report = classify_table(notes, target, StubDesk(), shard_rows=SHARD)
        assert report.reused_rows == kept
        assert ids(target) == [str(i) for i in range(ROWS * 10)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_becomes_read_only_is_said_and_what_was_done_is_taken_up_elsewhere(
    notes: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        target, desk = disk / "out.csv", StubDesk()

        def fail_late(asked: Sequence[Note]) -> None:
            if len(desk.asked) >= ROWS // 2:
                raise EndpointUnavailable("The endpoint does not answer.")

        desk.before = fail_late
        with pytest.raises(RunStopped):
            classify_table(notes, target, desk, shard_rows=SHARD, patience=0)
        kept = sum(int(path.name.split("-")[1]) for path in disk.glob("out.csv.parts/[0-9]*.parquet"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(TableError, match=r"read-only|can't be written to \(Read-only file system\)"):
            classify_table(notes, target, StubDesk(), shard_rows=SHARD)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert classify_table(notes, target, StubDesk(), shard_rows=SHARD).reused_rows == kept > 0
        assert ids(target) == [str(i) for i in range(ROWS)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_in_one_line_and_loses_nothing_done(notes: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    full = "import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    run = "from tests.core.bulk.stub_desk import main; main()"
    child = subprocess.run(
        [sys.executable, "-c", full + run, str(notes), str(target), str(SHARD), "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert child.returncode == 1
    assert child.stderr.count("\n") == 1
    assert re.search(r"out.csv can't be written \(File too large\). \d+ of 400 rows are done and kept", child.stderr)
    assert not target.exists()
    report = classify_table(notes, target, StubDesk(), shard_rows=SHARD)
    assert report.reused_rows > 0
    assert ids(target) == [str(i) for i in range(ROWS)]


def test_a_second_run_on_the_same_target_says_so_and_leaves(notes: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    child = start(notes, target, 0.15)
    try:
        wait_for_shards(target, 2, child)
        desk = StubDesk()
        with pytest.raises(TableError, match=r"Another run is writing out.csv now. Nothing was done"):
            classify_table(notes, target, desk, shard_rows=SHARD)
        assert not desk.asked
        said, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        assert said.split()[0] == str(ROWS)
    finally:
        child.kill()
        child.communicate()
    assert ids(target) == [str(i) for i in range(ROWS)]


def test_a_run_that_was_refused_lets_the_right_one_in(notes: Path, half_done: Path) -> None:
    with pytest.raises(TableError, match="model was"):
        classify_table(notes, half_done, StubDesk(version="2"), shard_rows=SHARD)
    assert classify_table(notes, half_done, StubDesk(), shard_rows=SHARD).rows == ROWS


def test_a_shard_that_keeps_failing_is_set_aside_and_only_it_is_taken_up_again(tmp_path: Path) -> None:
    notes, target = tmp_path / "notes.csv", tmp_path / "out.csv"
    texts = [f"note {number}{' POISON' if number == 130 else ''}" for number in range(ROWS)]
    notes.write_text("id,text\n" + "".join(f"{i},{text}\n" for i, text in enumerate(texts)), encoding="utf-8")
    desk, met = StubDesk(), Counter[str]()

    def fail(asked: Sequence[Note]) -> None:
        if any("POISON" in note.text for note in asked):
            met["poison"] += 1
            raise RuntimeError("the heads can't take it: POISON")

    desk.before = fail
    with pytest.raises(RunStopped) as stopped:
        classify_table(notes, target, desk, shard_rows=SHARD)
    assert str(stopped.value) == (
        "1 part of the table failed 3 times and was set aside: rows 121 to 140. "
        "380 of 400 rows are done and kept; run the same command again to go on."
    )
    assert met["poison"] == 3
    assert not target.exists()
    assert (tmp_path / "out.csv.parts" / "000006.aside").read_text() == "RuntimeError"
    healed = StubDesk()
    report = classify_table(notes, target, healed, shard_rows=SHARD)
    assert (report.reused_rows, len(healed.asked)) == (ROWS - SHARD, SHARD)
    assert ids(target) == [str(i) for i in range(ROWS)]


def test_a_shard_that_fails_once_is_done_again_in_the_same_run(notes: Path, tmp_path: Path) -> None:
    desk, failures = StubDesk(), iter([RuntimeError("once")])

    def fail(asked: Sequence[Note]) -> None:
        for error in failures:
            raise error

    desk.before = fail
    assert classify_table(notes, tmp_path / "out.csv", desk, shard_rows=SHARD).errors == 0
    assert ids(tmp_path / "out.csv") == [str(i) for i in range(ROWS)]


def test_when_every_shard_fails_the_run_ends_early(notes: Path, tmp_path: Path) -> None:
    desk = StubDesk()

    def fail(asked: Sequence[Note]) -> None:
        raise RuntimeError("always")

    desk.before = fail
    with pytest.raises(RunStopped, match="failed 3 times"):
        classify_table(notes, tmp_path / "out.csv", desk, shard_rows=2)
    assert len(list((tmp_path / "out.csv.parts").glob("*.aside"))) < 40
