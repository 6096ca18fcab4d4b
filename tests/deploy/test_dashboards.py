"""Dashboards and alert rules as files: complete, laid out, and about metrics that exist."""

import re
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from tests.deploy.queries import DASHBOARDS, alerts, dashboard, known_names, of_alerts, of_dashboards, panels

RUNBOOKS = REPOSITORY / "docs" / "runbooks.md"
every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def test_there_are_two() -> None:
    assert [path.stem for path in DASHBOARDS] == ["clinical", "service"]
    assert len({dashboard(path)["uid"] for path in DASHBOARDS}) == 2


@every_dashboard
def test_every_panel_says_what_it_shows_in_which_unit_and_asks_the_chosen_source(path: Path) -> None:
    assert {"datasource", "instance"} == {each["name"] for each in dashboard(path)["templating"]["list"]}
    for panel in panels(path):
        assert panel["title"], panel
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"]), panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs, panel["title"]
        assert len(set(refs)) == len(refs), panel["title"]


@every_dashboard
def test_panels_stand_side_by_side_and_none_over_another(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    found = dashboard(path)["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    assert len({panel["title"] for panel in found}) == len(found)
    for panel in found:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} stands over {taken[x, y]}"
                taken[x, y] = panel["title"]
    for y in range(max(y for _, y in taken) + 1):
        row = [(x, y) in taken for x in range(24)]
        assert all(row), f"row {y} of {path.stem} is not full"


def test_metrics_of_other_servers_are_named_as_those_name_them() -> None:
    known = known_names()
    for query in [*of_dashboards(), *of_alerts()]:
        others = {name for name in query.metrics if not name.startswith(("triage_", "process_"))}
        assert others <= known, f"{query.place}: {others - known}"


def test_every_alert_says_what_it_is_how_bad_and_where_to_read_on() -> None:
    sections = {
        re.sub(r"\W", "", title).lower() for title in re.findall(r"^## (.+)$", RUNBOOKS.read_text(), re.MULTILINE)
    }
    named = set()
    for alert in alerts():
        assert alert["labels"]["severity"] in ("page", "ticket"), alert["alert"]
        assert {"summary", "description", "runbook_url"} <= alert["annotations"].keys(), alert["alert"]
        page, _, section = alert["annotations"]["runbook_url"].partition("#")
        assert (page, section) == ("docs/runbooks.md", alert["alert"].lower())
        assert section in sections
        named.add(section)
    assert sections - named == {"wherethingsare"}, "a runbook without an alert"


def test_every_runbook_tells_what_it_means_what_to_look_at_and_what_to_do() -> None:
    for section in re.split(r"^## ", RUNBOOKS.read_text(encoding="utf-8"), flags=re.MULTILINE)[2:]:
        parts = re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE)
        assert parts == ["What it means.", "Look at.", "Do."], section[:40]
