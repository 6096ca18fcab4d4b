import time
from dataclasses import replace
from pathlib import Path

import pytest

from core.embedding.client import Embedder
from core.errors import DeskBusy, EndpointTimeout, EndpointUnavailable, NoteError, RecordsError
from core.notes import RedFlagHit
from core.records.records import Decision
from core.settings import Settings
from core.telemetry import endpoints, observe
from core.telemetry.live import Live
from core.triage import TriageDesk
from core.wording import _SENTENCES_ZH
from tests.app.answering import NOON, assessment
from tests.core.telemetry.figures import total, value


def outcomes(source: str, outcome: str, error: str = "") -> float:
    return value("triage_assessments_total", source=source, outcome=outcome, error=error)


def test_each_note_counts_once_by_what_came_of_it() -> None:
    before = [outcomes("page", "answered"), outcomes("page", "review"), outcomes("page", "refused", "NoteError")]
    unsure = assessment(reasons=("department: two answers possible",))
    observe.assessed("page", [assessment(), unsure, NoteError("no words")], 0.3)
    after = [outcomes("page", "answered"), outcomes("page", "review"), outcomes("page", "refused", "NoteError")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        (EndpointTimeout("late"), "failed", "EndpointTimeout"),
        (DeskBusy("busy"), "refused", "DeskBusy"),
        (ValueError("words of a note"), "failed", "unexpected"),
    ],
)
def test_an_error_is_told_by_the_name_of_its_class_alone(error: Exception, outcome: str, kind: str) -> None:
    before = outcomes("api", outcome, kind)
    observe.failed("api", error, 3)
    assert outcomes("api", outcome, kind) - before == 3


def test_red_flags_acuity_language_and_reasons_are_counted() -> None:
    hit = RedFlagHit("chest_pain_crushing", 2, (), "a source")
    answer = assessment(
        flags=(hit,), reasons=("acuity: an emergency can't be ruled out", "the note was cut: its middle was not read")
    )
    names = {
        "triage_red_flags_total": {"rule": "chest_pain_crushing"},
        "triage_acuity_total": {"source": "api", "acuity": "2"},
        "triage_languages_total": {"language": "zh"},
        "triage_review_reasons_total": {"reason": "emergency"},
    }  # fmt: skip
    before = {name: value(name, **labels) for name, labels in names.items()}
    observe.assessed("api", [answer], 0.1)
    assert all(value(name, **labels) - before[name] == 1 for name, labels in names.items())


def test_every_reason_that_the_desk_gives_as_it_is_has_a_name_of_its_own() -> None:
    assert set(observe._REASONS) >= set(_SENTENCES_ZH)
    odd = replace(assessment(), reasons=("something: seven answers possible",), needs_review=True)
    before = value("triage_review_reasons_total", reason="unsure")
    observe.assessed("api", [odd], 0.1)
    assert value("triage_review_reasons_total", reason="unsure") - before == 1


@pytest.mark.parametrize(
    ("task", "given", "decided", "change"),
    [("acuity", "3", "2", "more_urgent"), ("acuity", "2", "4", "less_urgent"), ("department", "a", "b", "other")],
)
def test_an_override_tells_in_which_direction(task: str, given: str, decided: str, change: str) -> None:
    before = value("triage_overrides_total", task=task, change=change)
    observe.decided(Decision(task, given, decided, "other", "nurse-7", NOON))
    observe.decided(Decision(task, given, given, "", "nurse-7", NOON))
    assert value("triage_overrides_total", task=task, change=change) - before == 1


def test_a_desk_times_its_parts_and_counts_cache_and_endpoint(site_settings: Settings) -> None:
    def stood() -> list[float]:
        parts = [value("triage_stage_seconds_count", stage=stage) for stage in ("embed", "rules", "heads")]
        found = [value("triage_cache_lookups_total", outcome=outcome) for outcome in ("hit", "miss")]
        asked = value("triage_endpoint_texts_total", endpoint="the embedded endpoint")
        return [*parts, *found, asked]

    with TriageDesk.open(site_settings) as desk:
        desk.assess("warm")
        before = stood()
        text = f"Ear ache since {time.time()}"
        desk.assess(text)
        desk.assess(text)
        assert [now - then for now, then in zip(stood(), before, strict=True)] == [2, 2, 2, 1, 1, 1]
        text, _ = Live(site_settings.data_dir).text("")
        assert total(text.decode(), "triage_endpoint_breaker_state", endpoint="the embedded endpoint") == 0
        assert total(text.decode(), "triage_model_info", bundle="default") == 1
        assert total(text.decode(), "triage_expected_acuity_share") == pytest.approx(1.0)


def test_an_endpoint_that_is_away_shows_in_requests_retries_and_breaker(tmp_path: Path, free_port: int) -> None:
    from core.embedding.endpoint import OpenAIEndpoint
    from core.embedding.line import Line
    from core.embedding.space import EmbeddingSpace

    url = f"http://127.0.0.1:{free_port}/v1"
    before = value("triage_endpoint_retries_total")
    line = Line([OpenAIEndpoint(url, "none")], EmbeddingSpace("none", 8, "", 512))
    with Embedder(line, timeout=2.0) as embedder:
        for _ in range(2):
            with pytest.raises(EndpointUnavailable):
                embedder.embed(["a text"])
        assert value("triage_endpoint_requests_total", endpoint=url, outcome="EndpointUnavailable") >= 5
        assert value("triage_endpoint_retries_total") > before
        found = Live(tmp_path).text("")[0].decode()
        assert total(found, "triage_endpoint_breaker_state", endpoint=url) == endpoints.OPEN
    assert "triage_endpoint_breaker_state{" + f'endpoint="{url}"' not in Live(tmp_path).text("")[0].decode()


def test_records_that_fail_are_counted(tmp_path: Path) -> None:
    from core.records.database import open_records

    records = open_records(Settings(data_dir=tmp_path / "data", _env_file=None))
    rows, failures = (
        value("triage_audit_rows_total", kind="assessment"),
        value("triage_records_failures_total", operation="write"),
    )
    records.add(assessment(), person="nurse-7", note_hash="0" * 32)
    assert value("triage_audit_rows_total", kind="assessment") - rows == 1
    assert value("triage_records_write_seconds_count") > 0
    with records.writing() as pen:
        pen.connection.exec_driver_sql("DROP TABLE decisions")
    with pytest.raises(RecordsError):
        records.decide(1, "acuity", "1", reason="other", person="nurse-7")
    assert value("triage_records_failures_total", operation="write") - failures == 1
    records.close()
