"""A request of the API as a trace: below the caller's span, and on into the threads that do the work."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.errors import EndpointTimeout, TriageError
from core.notes import Assessment, Note
from core.settings import Settings
from core.telemetry import tracing
from tests.app.api.conftest import HandDesk, api_over
from tests.core.telemetry.collector import collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARY = "Mrs Wang has had chest pain since noon"


class TracedDesk(HandDesk):
    """Works within a span."""

    def assess_many(self, notes: Sequence[Note]) -> list[Assessment | TriageError]:
        with tracing.span("work", notes=len(notes)):
            return super().assess_many(notes)


def test_a_request_is_told_with_route_and_status_and_no_word_of_the_note(
    fresh_installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert tracing.start()
        try:
            with api_over(Settings(data_dir=fresh_installation / "data", _env_file=None), TracedDesk()) as api:
                api.ask("POST", "/api/v1/assess", {"text": CANARY}, headers={"traceparent": PARENT})
                api.ask("GET", "/healthz")
                api.desk.fails = EndpointTimeout("late")
                api.ask("POST", "/api/v1/assess", {"text": CANARY}, headers={"traceparent": "no such thing"})
        finally:
            tracing.stop()
    first, second = [span for span in collector.spans if span.name == "POST /api/v1/assess"]
    assert first.parent_span_id.hex() == PARENT.split("-")[2]
    assert {each.key: each.value for each in first.attributes}["http.response.status_code"].int_value == 200
    assert {each.key: each.value for each in second.attributes}["http.response.status_code"].int_value == 504
    assert not second.parent_span_id
    works = [span for span in collector.spans if span.name == "work"]
    assert [span.parent_span_id for span in works] == [first.span_id, second.span_id]
    assert works[1].status.message == "EndpointTimeout"
    assert not [span for span in collector.spans if "health" in span.name]
    assert "Wang" not in collector.raw.decode("latin-1")
