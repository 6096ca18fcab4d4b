"""Reads the desk's metrics as Prometheus would."""

from prometheus_client.parser import text_string_to_metric_families

from core.telemetry.metrics import REGISTRY


def value(name: str, **labels: str) -> float:
    """What a sample of this process stands at; 0 where there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of a text by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(text: str, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    return sum(
        found
        for (sample, has), found in samples(text).items()
        if sample == name and labels.items() <= dict(has).items()
    )
