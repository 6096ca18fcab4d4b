"""Rates: `triage classify` against bare loops over the same endpoint."""

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import openai

from core.bulk.classify import classify_table
from core.settings import Settings
from core.triage import TriageDesk
from tests.bench.notes import unique_texts, write_table
from tests.bench.servers import address_of, embedded_settings, stand_in, stand_in_settings

DELAY, SLOTS = 0.05, 16
REPETITIONS = 5


def bare_loop(url: str, model: str, texts: Sequence[str], list_size: int, concurrency: int) -> float:
    """Seconds that the plain `openai` client takes to get the vectors of `texts`."""
    lists = [list(texts[start : start + list_size]) for start in range(0, len(texts), list_size)]
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        client.embeddings.create(model=model, input=["warm"])

        def ask(part: list[str]) -> int:
            return len(client.embeddings.create(model=model, input=part).data)

        started = time.perf_counter()
        if concurrency == 1:
            done = sum(map(ask, lists))
        else:
            with ThreadPoolExecutor(concurrency) as pool:
                done = sum(pool.map(ask, lists))
        seconds = time.perf_counter() - started
    assert done == len(texts)
    return seconds


def best_bare(url: str, model: str, texts: int, lists: Sequence[int], concurrencies: Sequence[int]) -> dict[str, Any]:
    """List size and concurrency under which the bare loop is fastest, and every rate of the sweep."""
    sweep: dict[tuple[int, int], float] = {}
    for list_size, concurrency in itertools.product(lists, concurrencies):
        sweep[list_size, concurrency] = texts / bare_loop(url, model, unique_texts(texts), list_size, concurrency)
    best = max(sweep, key=lambda at: sweep[at])
    rates = {f"{size} x {at_once}": round(rate, 1) for (size, at_once), rate in sweep.items()}
    return {"list_size": best[0], "concurrency": best[1], "sweep": rates}


def classify_seconds(desk: TriageDesk, folder: Path, texts: Sequence[str]) -> float:
    """Seconds that classifying a table of the texts takes, an open desk given."""
    source = write_table(folder / "rate.csv", list(texts))
    started = time.perf_counter()
    report = classify_table(source, folder / "rate_out.csv", desk, progress=False)
    seconds = time.perf_counter() - started
    assert report.rows == len(texts)
    assert report.errors == 0
    return seconds


def compare(settings: Settings, folder: Path, rows: int, sweep: dict[str, Any], name: str) -> dict[str, Any]:
    """Classify against the best bare loop, interleaved."""
    with TriageDesk.open(settings) as desk:
        url, model = address_of(desk, settings)
        best = best_bare(url, model, max(rows // 4, 64), **sweep)
        classify_seconds(desk, folder, unique_texts(min(rows, 64)))
        bare: list[float] = []
        ours: list[float] = []
        for _ in range(REPETITIONS):
            bare.append(rows / bare_loop(url, model, unique_texts(rows), best["list_size"], best["concurrency"]))
            ours.append(rows / classify_seconds(desk, folder, unique_texts(rows)))
    return {
        "bench": name,
        "ratio": round(median(mine / other for mine, other in zip(ours, bare, strict=True)), 3),
        "wanted": ">= 0.97",
        "rows": rows,
        "classify_per_second": [round(rate, 1) for rate in ours],
        "bare_per_second": [round(rate, 1) for rate in bare],
        "best_bare": best,
    }


def embedded(folder: Path, scale: float) -> dict[str, Any]:
    """Classify against the best bare loop on the embedded endpoint."""
    sweep = {"lists": (8, 16, 32, 64), "concurrencies": (1, 2)}
    return compare(embedded_settings(folder), folder, max(64, int(768 * scale)), sweep, "classify_vs_bare_embedded")


def stand_in_best(folder: Path, scale: float) -> dict[str, Any]:
    """Classify against the best bare loop on a stand-in of 50 ms a request, 16 at once."""
    sweep = {"lists": (32, 64, 128, 256, 512, 1024), "concurrencies": (4, 8, 16)}
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url)
        return compare(settings, folder, max(1024, int(16384 * scale)), sweep, "classify_vs_bare_stand_in")


def stand_in_sequential(folder: Path, scale: float) -> dict[str, Any]:
    """Classify against the plain sequential loop with lists of 8 on the same stand-in."""
    rows, few = max(1024, int(8192 * scale)), max(64, int(512 * scale))
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url)
        ours: list[float] = []
        bare: list[float] = []
        with TriageDesk.open(settings) as desk:
            at, model = address_of(desk, settings)
            for _ in range(REPETITIONS):
                bare.append(few / bare_loop(at, model, unique_texts(few), 8, 1))
                ours.append(rows / classify_seconds(desk, folder, unique_texts(rows)))
    return {
        "bench": "classify_vs_sequential_stand_in",
        "ratio": round(median(ours) / median(bare), 2),
        "wanted": ">= 8",
        "classify_per_second": [round(rate, 1) for rate in ours],
        "sequential_per_second": [round(rate, 1) for rate in bare],
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
