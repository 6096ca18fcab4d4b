import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app.charts import activity as charts
from app.desk import records
from app.text import Voice
from core.errors import RecordsError
from core.notes import Assessment, ModelIdentity, TaskAnswer
from core.records import chain, database, engine, schema, summary
from core.records.database import DatabaseRecords, open_records
from core.records.records import AnsweredNote
from core.records.tables import audit
from core.settings import REPOSITORY, load_settings

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def one_database_a_test(fresh_installation: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRIAGE_LANGUAGE", "en")
    records.clear()
    yield
    records.clear()


def record(at: datetime, *, decided: dict[str, str] | None = None, needs_review: bool = False, **labels: str) -> None:
    opened = open_records(load_settings())
    assert isinstance(opened, DatabaseRecords)
    opened._clock = lambda: at
    tasks = {task: TaskAnswer(task, label, (), ()) for task, label in labels.items()}
    answer = Assessment(tasks, (), needs_review, (), (), "zh", ModelIdentity("small", "1", "e5"))
    number = opened.add(answer, person="nurse1", note_hash="")
    for task, label in (decided or {}).items():
        opened.decide(number, task, label, reason="more_urgent_signs", person="nurse1")
    opened.close()


@pytest.fixture
def some_notes() -> None:
    """Three notes of today, one of a fortnight ago."""
    record(NOW - timedelta(days=14), acuity="4", department="dentistry", decided={"department": "ent"})
    record(NOW, acuity="3", department="cardiology", decided={"acuity": "2", "department": "cardiology"})
    record(NOW, acuity="2", department="cardiology", needs_review=True)
    record(NOW, acuity="5", department="dermatology", decided={"acuity": "5"})


def open_page() -> AppTest:
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=60)
    return page.switch_page("app_pages/activity.py").run()


def numbers(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def figures(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


@pytest.mark.usefixtures("some_notes")
def test_of_more_notes_than_a_page_holds_the_newest_are_shown_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MOST", 3)
    page = open_page()
    assert numbers(page)["Notes answered"] == "3"
    assert not page.info
    page.segmented_control(key="activity_span").set_value("all").run()
    assert numbers(page)["Notes answered"] == "3"
    assert (
        f"more than 3 notes in this time span. The newest are shown, from {NOW:%Y-%m-%d %H:%M} on" in page.info[0].value
    )


def test_without_notes_the_page_says_what_to_do() -> None:
    page = open_page()
    assert not page.exception
    assert "Choose a longer one, or assess a note" in page.info[0].value
    page.segmented_control(key="activity_span").set_value("all").run()
    assert "Nothing is recorded yet" in page.info[0].value
    assert not page.metric


@pytest.mark.usefixtures("some_notes")
def test_today_counts_today_alone() -> None:
    page = open_page()
    assert not page.exception
    assert numbers(page) == {
        "Notes answered": "3",
        "Sent to a person": "33%",
        "Agreement": "67%",
        "Changed by people": "1",
    }
    assert len(figures(page)) == 4


@pytest.mark.usefixtures("some_notes")
def test_a_longer_span_counts_more_and_outlives_the_page() -> None:
    page = open_page()
    page.segmented_control(key="activity_span").set_value("month").run()
    assert numbers(page)["Notes answered"] == "4"
    assert numbers(page)["Changed by people"] == "2"
    page.switch_page("app_pages/quality.py").run()
    page.switch_page("app_pages/activity.py").run()
    assert numbers(page)["Notes answered"] == "4"


@pytest.mark.usefixtures("some_notes")
def test_each_figure_has_a_description_and_a_table() -> None:
    page = open_page()
    described = [chart.proto.alt for chart in page.get("plotly_chart")]
    assert all(described)
    assert len(page.dataframe) == len(described)
    volume = page.dataframe[0].value
    assert volume["Cardiology"].sum() == 2
    assert page.dataframe[1].value["After people's decisions"].tolist() == [0, 2, 0, 0, 1]


@pytest.mark.usefixtures("some_notes")
def test_a_change_is_seen_as_a_pair_with_its_reason() -> None:
    page = open_page()
    pairs = page.dataframe[-1].value
    assert pairs.to_numpy().tolist() == [["3 Urgent", "2 Emergent", 1, "Signs of more urgency"]]
    assert "Made more urgent: **1**. Made less urgent: **0**." in [text.value for text in page.markdown]
    page.segmented_control(key="activity_task").set_value("department").run()
    assert "was changed" in page.info[-1].value


@pytest.mark.usefixtures("some_notes")
def test_a_question_that_the_new_span_does_not_have_is_let_go() -> None:
    record(NOW - timedelta(days=3), condition="eye")
    page = open_page()
    page.segmented_control(key="activity_span").set_value("week").run()
    page.segmented_control(key="activity_task").set_value("condition").run()
    page.segmented_control(key="activity_span").set_value("today").run()
    assert not page.exception
    assert not page.error
    assert page.segmented_control(key="activity_task").value == "acuity"


@pytest.mark.usefixtures("some_notes")
def test_longer_spans_can_be_counted_by_day() -> None:
    page = open_page()
    page.segmented_control(key="activity_span").set_value("month").run()
    assert len(page.dataframe[0].value) == 24
    page.segmented_control(key="activity_step").set_value("day").run()
    assert len(page.dataframe[0].value) == 30


@pytest.mark.usefixtures("some_notes")
def test_the_page_speaks_chinese() -> None:
    page = open_page()
    page.segmented_control(key="language").set_value("zh").run()
    assert not page.exception
    assert list(numbers(page)) == ["人次", "转人工判断", "一致率", "人工修改"]
    assert page.dataframe[-1].value.columns.tolist() == ["系统结果", "人工判断", "人次", "最常见原因"]
    assert page.dataframe[-1].value["最常见原因"].tolist() == ["有更紧急的表现"]


def test_where_nobody_decided_the_page_says_so() -> None:
    record(NOW, acuity="3", department="cardiology")
    page = open_page()
    assert numbers(page)["Agreement"] == "none yet"
    assert [info.value for info in page.info] == [
        "Nobody accepted or changed an answer in this time span.",
        "No answer to this question was changed in this time span.",
    ]


def test_records_that_can_t_be_read_are_a_calm_sentence_in_both_languages(
    fresh_installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = fresh_installation / "data"
    data.mkdir()
    (data / "records.sqlite").write_text("no database\n" * 500)
    page = open_page()
    assert not page.exception
    assert page.error[0].value.startswith(database.CANNOT_READ)
    page.segmented_control(key="language").set_value("zh").run()
    assert page.error[0].value.startswith("暂时无法读取记录。未丢失任何内容，请稍后再试。")


def test_what_nobody_expected_is_a_number_that_the_log_has_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> list[AnsweredNote]:
        raise RuntimeError("secret words")

    monkeypatch.setattr(DatabaseRecords, "answers", fail)
    with caplog.at_level(logging.ERROR, logger="app.edge"):
        page = open_page()
    assert not page.exception
    number = page.error[0].value.rstrip(".").rsplit(" ", 1)[-1]
    assert f"page error {number}: RuntimeError" in caplog.text
    assert "secret words" not in page.error[0].value + caplog.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_sentence_of_an_error_can_be_said(language: str) -> None:
    say = Voice(language)  # type: ignore[arg-type]
    sentences = (
        engine.BAD_URL,
        engine.CANNOT_OPEN,
        schema.NEWER,
        chain.CANNOT_SEAL,
        chain.OTHER_KEY,
        chain.BROKEN_HEAD,
    )
    for sentence in (*sentences, database.CANNOT_READ, database.CANNOT_WRITE, database.NO_SUCH_ANSWER):
        assert (say(str(RecordsError(sentence))) == sentence) is (language == "en")


def test_the_figure_tells_departments_apart_without_colour_and_names_its_axes() -> None:
    notes = [
        AnsweredNote(1, NOW, "x", {"department": f"d{place}"}, False, (), "zh", "m")
        for place in range(9)
        for _ in range(9 - place)
    ]
    volume = summary.volume(notes, UTC, "hour_of_day", since=None, until=NOW)
    figure = charts.volume_figure(volume, "hour_of_day", Voice("en"))
    looks = {(bar.marker.color, bar.marker.pattern.shape) for bar in figure.data}
    assert len(looks) == len(figure.data) == summary.TOP + 1
    assert figure.data[-1].name == "All other departments"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Hour of the day", "Notes answered")


def test_agreement_has_a_gap_where_nobody_decided() -> None:
    steps = [summary.Agreement(datetime(2026, 3, day), *counts) for day, counts in ((1, (2, 1)), (2, (0, 0)))]
    figure = charts.agreement_figure(steps, "day", Voice("en"))
    assert list(figure.data[0].y) == [0.5, None]
    assert charts.agreement_table(steps, "day", Voice("en"))["Day"].tolist() == ["2026-03-01"]


def test_a_map_with_too_many_labels_shows_those_that_changed_most() -> None:
    rows = [(f"a{place:02}", f"b{place:02}", 40 - place, "other") for place in range(20)]
    pairs = pd.DataFrame(rows, columns=["given", "decided", "notes", "reason"])
    figure = charts.override_figure(pairs, "department", Voice("en"))
    assert len(figure.data[0].x) == charts.MAP_LABELS
    assert charts.is_map_cut(pairs, "department")
    assert not charts.is_map_cut(pairs.head(2), "department")
    assert len(charts.override_table(pairs, "department", Voice("en"))) == 20


@pytest.fixture
def csv_asked_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bytes]:
    """What the page's download gives when it is asked for, after the page was drawn."""
    given: list[Callable[[], bytes]] = []
    monkeypatch.setattr(st, "download_button", lambda _, data, **__: given.append(data))
    return lambda: given[-1]()


@pytest.mark.usefixtures("some_notes")
def test_a_download_is_in_the_audit_log(csv_asked_for: Callable[[], bytes]) -> None:
    assert not open_page().exception
    assert csv_asked_for().startswith(b"\xef\xbb\xbf")
    with records().one_view() as connection:
        row = connection.execute(select(audit).order_by(audit.c.id.desc())).first()
    assert row is not None
    assert (row.kind, row.person) == ("export", "local")
    assert json.loads(row.facts) == {"what": "activity", "format": "csv", "span": "today", "rows": 3}


@pytest.mark.usefixtures("some_notes")
def test_what_the_audit_log_can_t_take_is_not_downloaded(
    csv_asked_for: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecordsError(database.CANNOT_WRITE)

    assert not open_page().exception
    monkeypatch.setattr(DatabaseRecords, "note", fail)
    with pytest.raises(RecordsError):
        csv_asked_for()
