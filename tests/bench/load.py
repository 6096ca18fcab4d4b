"""Many people at the Triage page at once, each pasting one note after another."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from tests.bench.api import serving
from tests.bench.notes import unique_texts
from tests.bench.servers import stand_in, stand_in_settings
from tests.page_visitor import Answered, crowd

FEW, MANY = 20, 200
PACE = 30.0  # seconds between two notes of one person
SECONDS = 180.0
DELAY, SLOTS = 0.05, 16


def load(folder: Path, scale: float) -> dict[str, Any]:
    """P95 of 200 people against that of 20, at the same pace each, on the stand-in; and the server's memory."""
    seconds = max(2 * PACE, SECONDS * scale)
    with stand_in(DELAY, SLOTS) as url, serving(stand_in_settings(folder, url)) as (port, process):
        address, server = f"127.0.0.1:{port}", psutil.Process(process)
        few = asyncio.run(crowd(address, FEW, seconds, PACE, _texts()))
        memory: list[int] = []
        many: list[Answered] = []
        for _ in range(3):  # the same crowd three times: what grows with each is a leak
            many += asyncio.run(crowd(address, MANY, seconds / 3, PACE, _texts()))
            memory.append(server.memory_info().rss)
    return {
        "bench": "load",
        "ratio": round(p95(many) / p95(few), 3),
        "wanted": "<= 2",
        "p95_ms": {FEW: round(1000 * p95(few)), MANY: round(1000 * p95(many))},
        "answers": {FEW: len(few), MANY: len(many)},
        "not_recorded": sum(not each.is_recorded for each in few + many),
        "memory_mb": [round(each / 2**20) for each in memory],
        "memory_growth": round(memory[-1] / memory[0], 3),
    }


def p95(answers: list[Answered]) -> float:
    """Seconds within which 95 of 100 answers stood there."""
    return quantiles([each.seconds for each in answers], n=20)[-1]


def _texts() -> Iterator[str]:
    """Notes that nobody has sent before."""
    return itertools.chain.from_iterable(unique_texts(500) for _ in itertools.count())
