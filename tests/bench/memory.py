"""Peak memory of `triage classify` on ten times the rows: csv, and parquet of ten million rows."""

import csv
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.bulk.batch import BATCH_ROWS
from core.settings import Settings
from tests.bench.notes import write_large_parquet, write_large_table
from tests.bench.servers import ROOT, environment, stand_in, stand_in_settings

ROWS = 1_000_000
MANY_ROWS = 10_000_000
# The command, which tells its peak at its end. Its `ru_maxrss` would begin with the peak of this process.
COMMAND = """
import atexit
from core.cli import main
atexit.register(lambda: print("peak", *(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line)))
main()
"""


def memory(folder: Path, scale: float) -> dict[str, Any]:
    """Peak memory on 1,000,000 rows of csv against 100,000, on a stand-in that answers at once."""
    many = max(20_000, int(ROWS * scale))
    sizes = many // 10, many
    with stand_in() as url:
        settings = _without_cache(folder, url)
        runs = [_run(settings, write_large_table(folder / f"{rows}.csv", rows), rows) for rows in sizes]
    return _compared("classify_peak_memory", "ratio <= 1.2", sizes, runs)


def memory_parquet(folder: Path, scale: float) -> dict[str, Any]:
    """Peak memory and time a row on 10,000,000 rows of parquet against 1,000,000, on the same stand-in.

    The texts are 5 to 20 characters long and all different: every row is embedded. The smaller table is run before and
    after the larger, as what else the machine does changes meanwhile; its figures are the means. What a run takes
    whatever its rows (start, model, rules) is measured on a small table and is not part of the time a row.
    """
    many = max(20_000, int(MANY_ROWS * scale))
    sizes = many // 10, many
    with stand_in() as url:
        settings = _without_cache(folder, url)
        _, start = _run(settings, write_large_parquet(folder / "start.parquet", BATCH_ROWS), BATCH_ROWS)
        before, large, after = (
            _run(settings, write_large_parquet(folder / f"{rows}.parquet", rows), rows) for rows in (*sizes, sizes[0])
        )
    small = (before[0] + after[0]) / 2, (before[1] + after[1]) / 2
    a_row = [1e6 * (seconds - start) / rows for (_, seconds), rows in zip((small, large), sizes, strict=True)]
    wanted = "ratio <= 1.2, peak_megabytes < 1024, 0.9 <= time_a_row_ratio <= 1.1"
    return {
        **_compared("classify_peak_memory_parquet", wanted, sizes, [small, large]),
        "start_seconds": round(start, 1),
        "microseconds_a_row": [round(each, 1) for each in a_row],
        "time_a_row_ratio": round(a_row[1] / a_row[0], 3),
    }


def _without_cache(folder: Path, url: str) -> Settings:
    return stand_in_settings(folder, url).model_copy(update={"cache_url": "none"})


def _run(settings: Settings, source: Path, rows: int) -> tuple[float, float]:
    """Peak resident megabytes and seconds of one run of the command, into the source's own format."""
    target = source.with_stem(f"{source.stem}_out")
    command = [sys.executable, "-c", COMMAND, "classify", str(source), str(target)]
    started = time.perf_counter()
    child = subprocess.run(command, cwd=ROOT, env=environment(settings), stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - started
    assert _rows_of(target) == rows
    source.unlink()
    target.unlink()
    return int(child.stdout.split("peak ")[-1]) / 1024, seconds


def _rows_of(table: Path) -> int:
    if table.suffix == ".parquet":
        return int(pq.read_metadata(table).num_rows)
    with table.open(encoding="utf-8-sig", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def _compared(bench: str, wanted: str, sizes: tuple[int, int], runs: list[tuple[float, float]]) -> dict[str, Any]:
    """The line of a bench, from the peak and the seconds of the smaller and the larger run."""
    small, large = runs
    return {
        "bench": bench,
        "ratio": round(large[0] / small[0], 3),
        "wanted": wanted,
        "rows": list(sizes),
        "peak_megabytes": [round(peak, 1) for peak, _ in runs],
        "seconds": [round(seconds, 1) for _, seconds in runs],
    }
