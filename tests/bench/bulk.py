"""Bulk runs: faults, several endpoints, repeated notes, a warm cache, notes beside a run."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.triage import TriageDesk
from tests.bench.notes import unique_texts, write_table
from tests.bench.rates import DELAY, REPETITIONS, SLOTS, classify_seconds
from tests.bench.servers import ROOT, embedded_settings, environment, stand_in, stand_in_settings

FEW_REPETITIONS = 3


def faults(folder: Path, scale: float) -> dict[str, Any]:
    """The rate while a fifth of all requests fail against the undisturbed one, on the 50 ms x 16 stand-in."""
    rows = max(2048, int(32_768 * scale))
    with stand_in(DELAY, SLOTS) as calm_url, stand_in(DELAY, SLOTS, 0.2) as troubled_url:
        settings = stand_in_settings(folder, calm_url)
        troubled_settings = settings.model_copy(update={"embedding_url": troubled_url})
        with TriageDesk.open(settings) as calm, TriageDesk.open(troubled_settings) as troubled:
            calm_rates, troubled_rates = _rates_in_turn((calm, troubled), folder, rows)
    return {
        "bench": "classify_with_faults",
        "ratio": _ratio(troubled_rates, calm_rates),
        "wanted": ">= 0.5",
        "rows": rows,
        "troubled_per_second": troubled_rates,
        "calm_per_second": calm_rates,
    }


def two_endpoints(folder: Path, scale: float) -> dict[str, Any]:
    """The rate with two stand-ins against one; they are slow, so that this machine's cores are not what is measured."""
    rows = max(2048, int(8192 * scale))
    delay, slots = 1.0, 2
    with stand_in(delay, slots) as one, stand_in(delay, slots) as other:
        settings = stand_in_settings(folder, one).model_copy(update={"embedding_concurrency": 2 * slots})
        both = settings.model_copy(update={"embedding_url": f"{one},{other}"})
        with TriageDesk.open(settings) as alone, TriageDesk.open(both) as together:
            alone_rates, together_rates = _rates_in_turn((alone, together), folder, rows)
    return {
        "bench": "classify_two_endpoints_vs_one",
        "ratio": _ratio(together_rates, alone_rates),
        "wanted": ">= 1.9",
        "rows": rows,
        "two_per_second": together_rates,
        "one_per_second": alone_rates,
    }


def repeats(folder: Path, scale: float) -> dict[str, Any]:
    """The time for a table in which half of the notes repeat against one without repeats, on the embedded endpoint."""
    rows = max(128, int(1024 * scale))
    seconds: dict[str, list[float]] = {"half": [], "none": []}
    with TriageDesk.open(embedded_settings(folder)) as desk:
        classify_seconds(desk, folder, unique_texts(64))
        for _ in range(FEW_REPETITIONS):
            half = unique_texts(rows // 2)
            seconds["half"].append(classify_seconds(desk, folder, [text for text in half for _ in range(2)]))
            seconds["none"].append(classify_seconds(desk, folder, unique_texts(rows)))
    return {
        "bench": "classify_half_repeated_vs_none",
        "ratio": _ratio(seconds["half"], seconds["none"]),
        "wanted": "<= 0.55",
        "rows": rows,
        "half_repeated_seconds": seconds["half"],
        "none_repeated_seconds": seconds["none"],
    }


def warm_cache(folder: Path, scale: float) -> dict[str, Any]:
    """The time of a first run against a second of the same notes, which the cache knows, on the embedded endpoint."""
    rows = max(256, int(2048 * scale))
    first: list[float] = []
    second: list[float] = []
    with TriageDesk.open(embedded_settings(folder)) as desk:
        classify_seconds(desk, folder, unique_texts(64))
        for _ in range(FEW_REPETITIONS):
            texts = unique_texts(rows)
            first.append(classify_seconds(desk, folder, texts))
            second.append(classify_seconds(desk, folder, texts))
    return {
        "bench": "classify_first_run_vs_warm_cache",
        "ratio": _ratio(first, second),
        "wanted": ">= 20",
        "rows": rows,
        "first_seconds": first,
        "second_seconds": second,
    }


def note_beside_a_run(folder: Path, scale: float) -> dict[str, Any]:
    """The time of a pasted note during a bulk run against an idle desk's, on the embedded endpoint."""
    notes = max(10, int(60 * scale))
    settings = embedded_settings(folder)
    source = write_table(folder / "beside.csv", unique_texts(20_000))
    command = [sys.executable, "-m", "core.cli", "classify", str(source), str(folder / "beside_out.csv")]
    shutil.rmtree(folder / "beside_out.csv.parts", ignore_errors=True)  # of an earlier bench in a kept folder
    with TriageDesk.open(settings) as desk:
        _note_seconds(desk, 5)
        idle = _note_seconds(desk, notes)
        run = subprocess.Popen(command, cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL)
        try:
            time.sleep(8)
            beside = _note_seconds(desk, notes)
            assert run.poll() is None, "the run ended before the last note"
        finally:
            run.kill()
            run.wait()
    p95 = [float(np.percentile(each, 95)) for each in (beside, idle)]
    return {
        "bench": "note_beside_a_run_vs_idle_embedded",
        "ratio": round(median(beside) / median(idle), 2),
        "wanted": "<= 2; p95 <= 4",
        "p95_ratio": round(p95[0] / p95[1], 2),
        "idle_ms": {"median": round(1000 * median(idle), 1), "p95": round(1000 * p95[1], 1)},
        "beside_ms": {"median": round(1000 * median(beside), 1), "p95": round(1000 * p95[0], 1)},
        "notes": notes,
    }


def _note_seconds(desk: TriageDesk, count: int) -> list[float]:
    found = []
    for text in unique_texts(count):
        started = time.perf_counter()
        desk.assess(text)
        found.append(time.perf_counter() - started)
        time.sleep(0.1)
    return found


def _rates_in_turn(desks: Sequence[TriageDesk], folder: Path, rows: int) -> list[list[float]]:
    for desk in desks:
        classify_seconds(desk, folder, unique_texts(64))
    rates: list[list[float]] = [[] for _ in desks]
    for _ in range(REPETITIONS):
        for desk, found in zip(desks, rates, strict=True):
            found.append(round(rows / classify_seconds(desk, folder, unique_texts(rows)), 1))
    return rates


def _ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    return round(median(mine / other for mine, other in zip(ours, others, strict=True)), 3)
