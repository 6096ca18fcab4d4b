"""What is read only when somebody asks for `/metrics`: states, queues, drift, tables, and all of it as text."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.bulk import job_run
from core.bulk.jobs import Job
from core.telemetry import endpoints, observe
from core.telemetry.metrics import REGISTRY
from core.telemetry.shares import counted_elsewhere, with_counts

TABLE_STATES = ("new", "running", "stopped", "failed", "interrupted", "done")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Live(Collector):
    """Everything that a server tells: its own counts, those of its tables' processes, and how things stand.

    Attributes:
        data_dir: the desk's data folder.
        gauges: further figures of the server, by metric's name: what it is, and what gives it.
    """

    data_dir: Path
    gauges: Mapping[str, tuple[str, Callable[[], float]]] = field(default_factory=dict)

    def collect(self) -> Iterator[Metric]:
        """All metrics now."""
        yield from with_counts(REGISTRY.collect(), counted_elsewhere(self.data_dir))
        for name, (meaning, give) in self.gauges.items():
            yield GaugeMetricFamily(name, meaning, give())
        yield from _of_endpoints()
        yield from _of_drift()
        tables = GaugeMetricFamily("triage_tables", "Tables that are kept, by state; new ones wait.", labels=("state",))
        for state, count in tables_by_state(self.data_dir).items():
            tables.add_metric((state,), count)
        yield tables

    def text(self, accept: str) -> tuple[bytes, str]:
        """The metrics as OpenMetrics or as Prometheus' text, as `accept` asks for, and the media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type


def tables_by_state(data_dir: Path) -> dict[str, int]:
    """How many tables, of all persons together, are in each state."""
    found = Counter(dict.fromkeys(TABLE_STATES, 0))
    for path in (data_dir / "jobs").glob("*/job.json"):
        found[job_run.state_of(Job(path.parent, "", "", 0, _LONG_AGO))] += 1
    return dict(found)


def _of_endpoints() -> Iterator[Metric]:
    labels = ("endpoint",)
    states = GaugeMetricFamily(
        "triage_endpoint_breaker_state",
        "The circuit breaker: 0 requests pass, 1 one request is tried, 2 the endpoint is left alone.",
        labels=labels,
    )
    waiting = GaugeMetricFamily(
        "triage_endpoint_outstanding_texts", "Texts given to the endpoint and not answered.", labels=labels
    )
    allowed = GaugeMetricFamily(
        "triage_endpoint_requests_allowed", "Requests that may be under way at once now.", labels=labels
    )
    by_name: dict[str, list[endpoints.Watched]] = {}
    for member in endpoints.watched():
        by_name.setdefault(member.endpoint.name, []).append(member)
    for name, members in by_name.items():
        states.add_metric((name,), max(endpoints.state_of(member.breaker) for member in members))
        waiting.add_metric((name,), sum(member.outstanding for member in members))
        allowed.add_metric((name,), sum(member.requests_allowed for member in members))
    yield from (states, waiting, allowed)


def _of_drift() -> Iterator[Metric]:
    drift = observe.DRIFT
    told = (
        (
            "triage_drift_unfamiliar_share",
            "Share of the last notes that are unlike those of training; core.telemetry.drift says how.",
            drift.unfamiliar_share,
        ),
        (
            "triage_drift_acuity_psi",
            "Population stability index of the last notes' acuity against the bundle's held-out answers.",
            drift.index(observe.expected()),
        ),
        ("triage_drift_notes", "Notes in the window of the two drift figures.", drift.notes),
    )
    for name, meaning, value in told:  # with too few notes there is no figure, and no NaN that an average would take up
        yield GaugeMetricFamily(name, meaning, None if value is None else float(value))
