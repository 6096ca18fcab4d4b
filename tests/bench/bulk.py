"""Bulk runs: faults, several endpoints, repeated notes, a warm cache, notes beside a run."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.settings import Settings
from core.triage import TriageDesk
from tests.bench.notes import unique_texts, write_table
from tests.bench.rates import DELAY, REPETITIONS, SLOTS, classify_seconds
from tests.bench.servers import ROOT, embedded_settings, environment, stand_in, stand_in_settings

FEW_REPETITIONS = 3


def faults(folder: Path, scale: float) -> dict[str, Any]:
    """The rate while a fifth of all requests fail against the undisturbed one, on the 50 ms x 16 stand-in."""
    rows = max(2048, int(32_768 * scale))
    with stand_in(DELAY, SLOTS) as calm_url, stand_in(DELAY, SLOTS, 0.2) as troubled_url:
        calm = stand_in_settings(folder, calm_url)
        troubled = calm.model_copy(update={"embedding_url": troubled_url})
        rates = _rates_in_turn({"troubled_per_second": troubled, "calm_per_second": calm}, folder, rows)
    return _compared("classify_with_faults", ">= 0.5", rows, rates)


def two_endpoints(folder: Path, scale: float) -> dict[str, Any]:
    """The rate with two stand-ins against one; they are slow, so that this machine's cores are not what is measured."""
    rows = max(2048, int(24_576 * scale))
    delay, slots = 1.0, 2
    with stand_in(delay, slots) as url, stand_in(delay, slots) as other:
        one = stand_in_settings(folder, url).model_copy(update={"embedding_concurrency": 2 * slots})
        two = one.model_copy(update={"embedding_url": f"{url},{other}"})
        rates = _rates_in_turn({"two_per_second": two, "one_per_second": one}, folder, rows)
    return _compared("classify_two_endpoints_vs_one", ">= 1.9", rows, rates)


def repeats(folder: Path, scale: float) -> dict[str, Any]:
    """The time for a table in which half of the notes repeat against one without repeats, on the embedded endpoint."""
    rows = max(128, int(1024 * scale))

    def tables() -> dict[str, list[str]]:
        half = [text for text in unique_texts(rows // 2) for _ in range(2)]
        return {"half_repeated_seconds": half, "none_repeated_seconds": unique_texts(rows)}

    return _compared("classify_half_repeated_vs_none", "<= 0.55", rows, _seconds_in_turn(tables, folder))


def warm_cache(folder: Path, scale: float) -> dict[str, Any]:
    """The time of a first run against a second of the same notes, which the cache knows, on the embedded endpoint."""
    rows = max(256, int(2048 * scale))

    def tables() -> dict[str, list[str]]:
        texts = unique_texts(rows)
        return {"first_seconds": texts, "second_seconds": texts}

    return _compared("classify_first_run_vs_warm_cache", ">= 20", rows, _seconds_in_turn(tables, folder))


def note_beside_a_run(folder: Path, scale: float) -> dict[str, Any]:
    """The time of a pasted note during a bulk run against an idle desk's, on the embedded endpoint."""
    return {
        "bench": "note_beside_a_run_vs_idle_embedded",
        "wanted": "ratio <= 2, p95_ratio <= 4",
        **note_beside(embedded_settings(folder), folder, max(10, int(60 * scale))),
    }


def note_beside(
    settings: Settings, folder: Path, notes: int, *, rows: int = 20_000, warm_up: float = 8.0
) -> dict[str, Any]:
    """Median and 95th percentile of the time of a pasted note during a bulk run, and their ratios to an idle desk's.

    Args:
        settings: of the desk that assesses the notes, and of the run, which is a process of its own.
        folder: where the run's table goes.
        notes: how many are timed, idle and again beside the run, a tenth of a second apart.
        rows: of the run's table; it has to last until the last note.
        warm_up: seconds from the run's start to the first note beside it.
    """
    source, target = write_table(folder / "beside.csv", unique_texts(rows)), folder / "beside_out.csv"
    shutil.rmtree(f"{target}.parts", ignore_errors=True)  # of an earlier bench in a kept folder
    command = [sys.executable, "-m", "core.cli", "classify", str(source), str(target)]
    with TriageDesk.open(settings) as desk:
        _note_milliseconds(desk, 5)
        idle = _note_milliseconds(desk, notes)
        run = subprocess.Popen(command, cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL)
        try:
            time.sleep(warm_up)
            beside = _note_milliseconds(desk, notes)
            assert run.poll() is None, "the run ended before the last note"
        finally:
            run.kill()
            run.wait()
    return {
        "ratio": round(beside["median"] / idle["median"], 2),
        "p95_ratio": round(beside["p95"] / idle["p95"], 2),
        "idle_ms": idle,
        "beside_ms": beside,
        "notes": notes,
    }


def _note_milliseconds(desk: TriageDesk, count: int) -> dict[str, float]:
    found = []
    for text in unique_texts(count):
        started = time.perf_counter()
        desk.assess(text)
        found.append(1000 * (time.perf_counter() - started))
        time.sleep(0.1)
    return {"median": round(median(found), 1), "p95": round(float(np.percentile(found, 95)), 1)}


def _rates_in_turn(desks: Mapping[str, Settings], folder: Path, rows: int) -> dict[str, list[float]]:
    """Rows a second of each desk, by its name; every round gives each a table of its own."""
    rates: dict[str, list[float]] = {name: [] for name in desks}
    with ExitStack() as stack:
        opened = {name: stack.enter_context(TriageDesk.open(settings)) for name, settings in desks.items()}
        for desk in opened.values():
            classify_seconds(desk, folder, unique_texts(64))
        for _ in range(REPETITIONS):
            for name, desk in opened.items():
                rates[name].append(round(rows / classify_seconds(desk, folder, unique_texts(rows)), 1))
    return rates


def _seconds_in_turn(tables: Callable[[], Mapping[str, Sequence[str]]], folder: Path) -> dict[str, list[float]]:
    """Seconds for each of a round's tables, by its name, on the embedded endpoint; every round makes them anew."""
    seconds: dict[str, list[float]] = {}
    with TriageDesk.open(embedded_settings(folder)) as desk:
        classify_seconds(desk, folder, unique_texts(64))
        for _ in range(FEW_REPETITIONS):
            for name, texts in tables().items():
                seconds.setdefault(name, []).append(round(classify_seconds(desk, folder, texts), 3))
    return seconds


def _compared(bench: str, wanted: str, rows: int, found: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """The line of a bench: the median over the rounds of the first figure through the second, and both."""
    first, second = found.values()
    ratio = round(median(mine / other for mine, other in zip(first, second, strict=True)), 3)
    return {"bench": bench, "ratio": ratio, "wanted": wanted, "rows": rows, **found}
