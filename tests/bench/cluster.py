"""A Ray cluster of two workers against one."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from core.bulk.classify import classify_table
from core.settings import Settings
from core.triage import TriageDesk
from tests.bench.notes import unique_texts, write_table
from tests.bench.servers import stand_in, stand_in_settings

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

DELAY = 0.05
SHARD_ROWS = 64
ROUNDS = 3


def two_workers(folder: Path, scale: float) -> dict[str, Any]:
    """Rows a second with two workers against one, on the stand-in of 50 ms a request that serves any number at once.

    A worker answers one shard at a time. Here a shard is one short request, so that a worker mostly waits for it: this
    machine's two cores, which the workers share with the driver, the stand-in and Ray's own processes, are then not
    what is measured. The limit that both share is far above what they send.

    The rate is that of the last three quarters of the rows: the workers' processes start and load their models in the
    first one. `seconds` are those of the whole runs.
    """
    rows = max(16 * SHARD_ROWS, int(400 * SHARD_ROWS * scale))
    rates: dict[int, list[float]] = {1: [], 2: []}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with stand_in(DELAY) as url, _cluster() as nodes:
        settings = stand_in_settings(folder, url).model_copy(update={"cache_url": "none", "embedding_concurrency": 32})
        with TriageDesk.open(settings) as desk:
            for _ in range(ROUNDS):
                for workers in rates:
                    second = nodes.add_node(num_cpus=1) if workers == 2 else None
                    nodes.wait_for_nodes()
                    rate, whole = _run(settings, desk, folder, rows)
                    rates[workers].append(rate)
                    seconds[workers].append(whole)
                    if second:
                        nodes.remove_node(second)
    return {
        "bench": "ray_two_workers_vs_one",
        "ratio": round(median(two / one for two, one in zip(rates[2], rates[1], strict=True)), 3),
        "wanted": ">= 1.7",
        "rows": rows,
        "shard_rows": SHARD_ROWS,
        "two_per_second": rates[2],
        "one_per_second": rates[1],
        "two_seconds": seconds[2],
        "one_seconds": seconds[1],
    }


def _run(settings: Settings, desk: TriageDesk, folder: Path, rows: int) -> tuple[float, float]:
    """Rows a second over the last three quarters of a run, and the seconds of the whole run."""
    source = write_table(folder / "ray.csv", unique_texts(rows))
    done: list[tuple[float, int]] = []
    report = classify_table(
        source,
        folder / "ray_out.csv",
        desk,
        shard_rows=SHARD_ROWS,
        cluster=settings,
        progress=False,
        on_done=lambda more: done.append((time.monotonic(), more)),
    )
    assert (report.rows, report.errors) == (rows, 0)
    later = done[len(done) // 4 :]
    taken = later[-1][0] - later[0][0]
    return round(sum(more for _, more in later[1:]) / taken, 1), round(report.seconds, 1)


@contextmanager
def _cluster() -> Iterator["Cluster"]:
    """A cluster of this machine with a node of one core, and a head that takes no work."""
    import ray
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    try:
        with patch.dict(os.environ, RAY_ADDRESS=nodes.address):
            yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()  # type: ignore[no-untyped-call]
