"""Peak memory of `triage classify` on ten times the rows."""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core.settings import Settings
from tests.bench.notes import write_large_table
from tests.bench.servers import ROOT, environment, stand_in, stand_in_settings

ROWS = 1_000_000


def _peak(settings: Settings, folder: Path, rows: int) -> tuple[float, float]:
    """Peak resident megabytes and seconds of one run of the command."""
    source, target = write_large_table(folder / f"{rows}.csv", rows), folder / f"{rows}_out.csv"
    command = [sys.executable, "-c", "from core.cli import main; main()", "classify", str(source), str(target)]
    started = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    assert child.returncode == 0, "triage classify failed"
    with target.open(encoding="utf-8-sig", newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == rows + 1
    source.unlink()
    target.unlink()
    return usage.ru_maxrss / 1024, seconds


def memory(folder: Path, scale: float) -> dict[str, Any]:
    """Peak memory on 1,000,000 rows against 100,000, on a stand-in that answers at once."""
    many = max(20_000, int(ROWS * scale))
    with stand_in() as url:
        settings = stand_in_settings(folder, url).model_copy(update={"cache_url": "none"})
        small, small_seconds = _peak(settings, folder, many // 10)
        large, large_seconds = _peak(settings, folder, many)
    return {
        "bench": "classify_peak_memory",
        "ratio": round(large / small, 3),
        "wanted": "<= 1.2",
        "rows": [many // 10, many],
        "peak_megabytes": [round(small, 1), round(large, 1)],
        "seconds": [round(small_seconds, 1), round(large_seconds, 1)],
    }
