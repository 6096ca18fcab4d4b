"""`/metrics` as Prometheus asks for it, and what it tells after notes of every kind."""

import logging
import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from core.errors import EndpointTimeout
from core.settings import REPOSITORY
from tests.app.api.conftest import Api
from tests.core.telemetry.figures import samples, total

ASSESS = "/api/v1/assess"
CANARY = "Mrs Wang, 13800138000, chest pain"


def told(api: Api) -> str:
    return api.ask("GET", "/metrics").body.decode()


def test_prometheus_gets_openmetrics_and_a_person_plain_text(api: Api) -> None:
    asked = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    answer = api.ask("GET", "/metrics", headers=asked)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name for family in text_string_to_metric_families(answer.body.decode())}
    assert {"triage_assessments", "triage_queue_notes", "triage_tables", "triage_drift_notes"} <= families
    plain = api.ask("GET", "/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert ("triage_queue_notes", ()) in samples(plain.body.decode())


def test_notes_are_counted_by_what_came_of_them(api: Api) -> None:
    def stood() -> list[float]:
        text = told(api)
        pairs = (("answered", ""), ("refused", "NoteError"), ("failed", "EndpointTimeout"), ("refused", "rate"))
        found = [total(text, "triage_assessments_total", source="api", outcome=o, error=e) for o, e in pairs]
        return [*found, total(text, "triage_http_requests_total", route=ASSESS, status="200")]

    before = stood()
    api.ask("POST", ASSESS, {"notes": [{"text": "咽痛两天"}, {"text": "…"}]})
    api.desk.fails = EndpointTimeout("late")
    assert api.ask("POST", ASSESS, {"text": "咽痛两天"}).status == 504
    api.desk.fails = None
    while api.ask("POST", ASSESS, {"notes": [{"text": "咽痛"}] * 200}).status == 200:
        pass
    answered, refused, failed, rate, requests = (now - then for now, then in zip(stood(), before, strict=True))
    assert (answered, refused, failed, rate, requests) == (201, 1, 1, 200, 2)


def test_no_label_and_no_line_holds_words_of_a_note_or_who_asked(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reader, nurse = api.key("prometheus", "metrics"), api.key("nurse-lin", "assess")
    for body in ({"text": CANARY}, {CANARY: CANARY}, {"notes": [{"text": CANARY}, {"text": ""}]}):
        api.ask("POST", f"{ASSESS}?{CANARY.replace(' ', '+')}", body, key=nurse)
    api.ask("GET", f"/api/v1/jobs/{CANARY.replace(' ', '-')}", key=nurse)
    api.desk.fails = ValueError(CANARY)
    assert api.ask("POST", ASSESS, {"text": CANARY}, key=nurse).status == 500
    text = api.ask("GET", "/metrics", key=reader).body.decode()
    assert total(text, "triage_assessments_total", source="api", error="unexpected") > 0
    for word in ("Wang", "13800138000", "chest pain"):
        assert word not in text
        assert word not in caplog.text
    assert "nurse-lin" not in text


def test_labels_are_few(api: Api) -> None:
    for number in range(50):
        api.ask("GET", f"/api/v1/jobs/{number:032x}")
        api.ask("GET", f"/api/nowhere/{number}")
        api.ask("WONDER", f"/api/v1/assess{number}")
    routes = {
        dict(labels).get("route") for (name, labels) in samples(told(api)) if name == "triage_http_requests_total"
    }
    assert {"/api/v1/jobs/{id}", "(none)"} <= routes
    assert not [route for route in routes if route and route[-1].isdigit()]


def test_the_page_about_figures_names_every_figure_and_no_other(api: Api) -> None:
    documented = re.findall(r"^\| `(triage_\w+)` \|", (REPOSITORY / "docs" / "metrics.md").read_text(), re.MULTILINE)
    kinds = re.findall(r"^# TYPE (triage_\w+) ", told(api), re.MULTILINE)
    assert sorted(documented) == sorted(set(kinds))
