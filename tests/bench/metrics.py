"""What telling costs: `/metrics` under load as a share of the time between two scrapes, and the hooks of one note."""

import http.client
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from core.telemetry import observe
from core.telemetry.shares import Share
from tests.app.answering import assessment
from tests.bench.api import CLIENTS, clients, served
from tests.bench.rates import DELAY, SLOTS
from tests.bench.servers import stand_in, stand_in_settings

INTERVAL = 15.0  # seconds, as deploy/prometheus/prometheus.yml has it
EVERY = 0.5  # seconds between two scrapes of the bench
HOOKED = 20_000


def scrape(folder: Path, scale: float) -> dict[str, Any]:
    """Seconds that `/metrics` takes while 16 clients have notes assessed, against 15 s between two scrapes.

    The wall time of an answer counts, though most of it is spent waiting for the other requests.
    """
    notes = max(CLIENTS * 20, int(3200 * scale))
    took: list[float] = []
    size = 0
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url)
        _tell_of_tables(settings.data_dir)
        with served(settings) as port:
            address = f"http://127.0.0.1:{port}/api/v1/assess"
            clients(address, CLIENTS * 4)
            load = threading.Thread(target=clients, args=(address, notes))
            load.start()
            while load.is_alive():
                seconds, size = _scraped(port)
                took.append(seconds)
                load.join(EVERY)
    return {
        "bench": "metrics_scrape",
        "share": round(median(took) / INTERVAL, 5),
        "wanted": "<= 0.01",
        "median_ms": round(1000 * median(took), 2),
        "longest_ms": round(1000 * max(took), 2),
        "scrapes": len(took),
        "bytes": size,
    }


def hooks(folder: Path, scale: float) -> dict[str, Any]:
    """Microseconds that counting one note takes, all its hooks together."""
    answer, number = assessment(reasons=("acuity: an emergency can't be ruled out",)), max(1000, int(HOOKED * scale))

    def one() -> None:
        for stage in ("embed", "rules", "heads"):
            with observe.stage(stage, 1):
                pass
        with observe.endpoint_call("bench", 1):
            pass
        observe.looked_up(1, 0)
        observe.recorded(("assessment",), 0.001)
        observe.requested("POST", "/api/v1/assess", 200, 0.01)
        observe.assessed("api", (answer,), 0.01)

    started = time.perf_counter()
    for _ in range(number):
        one()
    each = (time.perf_counter() - started) / number
    return {"bench": "metrics_hooks", "microseconds_a_note": round(1e6 * each, 1), "notes": number}


def _tell_of_tables(data_dir: Path) -> None:
    """What a table's process would have left behind, so that there is something to add."""
    observe.assessed("api", (assessment(),), 0.01)
    share = Share(data_dir)
    share.open()
    share.close()


def _scraped(port: int) -> tuple[float, int]:
    """Seconds of one answer, and its bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    started = time.perf_counter()
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    answer = connection.getresponse()
    size = len(answer.read())
    seconds = time.perf_counter() - started
    connection.close()
    assert answer.status == 200, answer.status
    return seconds, size
