"""A researcher at the Map page."""

import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

MOVES = 24


def lasso(researcher: Visitor) -> None:
    """Draw around the middle of the map."""
    page = researcher.page
    chart = page.locator(".js-plotly-plot").first
    expect(chart.locator("canvas").first).to_be_visible()
    researcher.rest()
    chart.hover()
    chart.get_by_role("button", name="Lasso Select").click()
    area = chart.locator(".nsewdrag").first
    page.wait_for_timeout(800)  # plotly takes no drag while it changes its mode, and does not say when it is done
    place = area.bounding_box()
    assert place
    left, top = place["x"] + place["width"] * 0.25, place["y"] + place["height"] * 0.25
    right, bottom = place["x"] + place["width"] * 0.75, place["y"] + place["height"] * 0.75
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(x, y, steps=MOVES // 4)
    page.mouse.up()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lasso_gives_the_notes_their_mix_and_a_download(visit, language: str, tmp_path) -> None:
    researcher = visit(language, width=1280, height=1600)
    researcher.open("map")
    lasso(researcher)
    expect(researcher.page.get_by_role("heading", name=researcher.say("Selected notes"))).to_be_visible()
    researcher.rest()
    with researcher.page.expect_download() as download:
        researcher.page.locator(".st-key-map_download").get_by_role("button").click()
    download.value.save_as(tmp_path / "selection.csv")
    notes = pd.read_csv(tmp_path / "selection.csv", encoding="utf-8-sig")
    assert len(notes) > 0
    words = researcher.say("{count} of {total} notes selected", count=f"{len(notes):,}", total="\0").split("\0")[0]
    expect(researcher.page.get_by_text(words).first).to_be_visible()

    researcher.button("Clear").click()
    expect(researcher.page.get_by_role("heading", name=researcher.say("Selected notes"))).to_have_count(0)


def test_the_nearest_notes_of_a_pasted_note_are_shown(visit) -> None:
    researcher = visit("en", height=1600)
    researcher.open("map")
    researcher.page.get_by_role("textbox", name=researcher.say("Your note")).fill("胸口压着痛半小时，出冷汗")
    researcher.button("Find the nearest notes").click()
    nearest = researcher.page.get_by_role("region", name=researcher.say("The nearest notes, the most similar first"))
    expect(nearest).to_be_visible()


def test_the_map_can_be_turned_in_three_dimensions(visit) -> None:
    researcher = visit("en", height=1200)
    researcher.open("map")
    researcher.page.get_by_role("radio", name=researcher.say("{count}-D", count=3)).click()
    expect(
        researcher.page.get_by_text(researcher.say("Drag to turn the map. Notes are selected in 2-D."))
    ).to_be_visible()
    expect(
        researcher.page.locator(".js-plotly-plot .gl-container canvas, .js-plotly-plot #scene canvas").first
    ).to_be_visible()
