"""Traces as a real collector gets them, and nothing at all where none is named."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from core.embedding.endpoint import OpenAIEndpoint
from core.errors import EndpointRefused
from core.settings import REPOSITORY, Settings
from core.telemetry import tracing
from core.triage import TriageDesk
from tests.core.telemetry.collector import Collector, collecting

CANARY = "Mrs Wang has had chest pain since noon"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with ExitStack() as stack:
        found = stack.enter_context(collecting())
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        stack.callback(tracing.stop)
        assert tracing.start()
        yield found


def test_a_note_is_a_trace_from_the_request_to_the_endpoint(collector: Collector, site_settings: Settings) -> None:
    with TriageDesk.open(site_settings) as desk:
        desk.assess("warm")
        with tracing.request({"traceparent": PARENT}, request_id="4711"):
            desk.assess(f"{CANARY} at 12:07")
        tracing.stop()
    request = collector.named("request")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (PARENT.split("-")[1], PARENT.split("-")[2])
    ours = {span.name: span for span in collector.spans if span.trace_id == request.trace_id}
    assert set(ours) == {"request", "embed", "endpoint", "rules", "heads"}
    assert {ours[name].parent_span_id for name in ("endpoint", "rules")} == {ours["embed"].span_id}  # side by side
    assert {ours[name].parent_span_id for name in ("embed", "heads")} == {request.span_id}
    assert "Wang" not in collector.raw.decode("latin-1")


def test_an_error_is_its_class_and_no_word_of_its_message(collector: Collector) -> None:
    with pytest.raises(ValueError, match="Wang"), tracing.span("work"):
        raise ValueError(CANARY)
    tracing.stop()
    span = collector.named("work")
    assert (span.status.message, list(span.events)) == ("unexpected", [])
    assert "Wang" not in collector.raw.decode("latin-1")


def test_a_server_that_is_asked_is_told_the_trace(collector: Collector) -> None:
    assert tracing.headers() == {}
    endpoint = OpenAIEndpoint(f"{collector.url}/v1", "any")
    with tracing.request({"traceparent": PARENT}), pytest.raises(EndpointRefused):
        endpoint.embed(["a text"], timeout=5)
    with pytest.raises(EndpointRefused):
        endpoint.embed(["a text"], timeout=5)
    endpoint.close()
    within, without = collector.asked
    assert (within or "").startswith(PARENT[:36])
    assert without is None


def test_without_a_collector_nothing_is_imported_and_nothing_sent() -> None:
    code = (
        "import sys\nfrom core.telemetry import tracing\nassert not tracing.start()\n"
        "with tracing.request({'traceparent': 'x'}), tracing.span('a') as span: assert span is None\n"
        "assert tracing.headers() == {} and tracing.carried(len) is len and tracing.here() is None\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_a_collector_without_the_extra_is_said_and_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert not tracing.start()
    assert "pip install .[telemetry]" in caplog.text
