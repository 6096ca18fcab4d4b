"""The queries of dashboards and alert rules, and the metrics that they read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.settings import REPOSITORY

GRAFANA = REPOSITORY / "deploy" / "grafana"
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
DASHBOARDS = sorted(GRAFANA.glob("*.json"))
NAMES = Path(__file__).parent / "names"
_METRIC = re.compile(r"\b(?:sglang:[a-z0-9_]+|(?:smg|triage|process)_[a-z0-9_]+|DCGM_[A-Z_]+)")
_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and where it stands."""

    place: str
    text: str

    @property
    def metrics(self) -> set[str]:
        """Names of the metrics that it reads."""
        return set(_METRIC.findall(self.text))

    @property
    def of_the_desk(self) -> bool:
        """Whether the desk itself gives what it reads."""
        return all(name.startswith(("triage_", "process_")) for name in self.metrics)

    def filled(self, interval: str) -> str:
        """The query as Grafana would send it for all desks."""
        return self.text.replace("$__rate_interval", interval).replace("$instance", ".*")


def dashboard(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def panels(path: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard, rows left out."""
    return [panel for panel in dashboard(path)["panels"] if panel["type"] != "row"]


def of_dashboards() -> Iterator[Query]:
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield Query(f"{path.stem}: {panel['title']}", target["expr"])


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def of_alerts() -> Iterator[Query]:
    for alert in alerts():
        yield Query(alert["alert"], alert["expr"])


def known_names() -> set[str]:
    """Samples that SGLang, its router and dcgm-exporter were seen to give."""
    found = set()
    for path in NAMES.glob("*.txt"):
        for name, kind in map(str.split, path.read_text(encoding="utf-8").splitlines()):
            found |= {name + part for part in _PARTS} if kind == "histogram" else {name}
    return found
