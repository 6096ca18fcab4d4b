"""A nurse at the Triage page."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.serving import Served
from tests.browser.triage_steps import CHEST_PAIN, RASH, answer, ask, ask_why, box, choose, give_reason, level, send

VISIBLE = 800  # pixels: what a ward PC shows without scrolling


def records_of(served: Served) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{served.folder / 'records.sqlite'}?mode=ro", uri=True)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_pasted_note_is_answered_without_scrolling(visit, language) -> None:
    nurse = visit(language, width=1280, height=VISIBLE)
    nurse.open()
    assert ask(nurse, CHEST_PAIN) in {"1", "2"}
    say = nurse.say
    charts = answer(nurse).get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(2)
    banner = answer(nurse).get_by_text(say("The estimate agrees with the red flags. A person still decides."))
    for part in (level(nurse), banner, charts.nth(0), charts.nth(1)):
        expect(part).to_be_visible()
        place = part.bounding_box()
        assert place
        assert place["y"] + place["height"] <= VISIBLE
    assert nurse.page.url.rstrip("/").count("/") == 2  # no note, no page, no question in the address


@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_asks_why_sees_phrases_and_similar_notes(visit, language) -> None:
    nurse = visit(language)
    nurse.open()
    given = ask(nurse, CHEST_PAIN)
    panel = ask_why(nurse)
    expect(panel.get_by_text("胸口压着痛半小时")).to_be_visible()
    expect(panel.get_by_text(nurse.say("Similar notes that the model learned from"))).to_be_visible()
    assert panel.get_by_role("listitem").count() >= 4
    assert "".join(filter(str.isdecimal, level(nurse).inner_text())) == given


def test_an_override_and_its_reason_are_seen_in_activity(visit, served) -> None:
    nurse = visit("en")
    nurse.open()
    given = ask(nurse, RASH)
    wanted = "3" if given != "3" else "4"
    choose(nurse, "acuity", wanted).click()
    give_reason(nurse, "known_patient").click()
    expect(level(nurse)).to_contain_text(wanted)
    nurse.button("Accept all").click()
    expect(answer(nurse).get_by_text(nurse.say("You have decided. Next note?"))).to_be_visible()

    nurse.go("activity")
    changed = nurse.page.get_by_test_id("stMetric").filter(has_text=nurse.say("Changed by people"))
    expect(changed).to_be_visible()
    assert int(changed.get_by_test_id("stMetricValue").inner_text()) >= 1
    with closing(records_of(served)) as records:
        dump = "\n".join(records.iterdump())
    assert "known_patient" in dump
    assert "washing powder" not in dump
    assert "washing powder" not in served.log.read_text(encoding="utf-8")


def test_two_keys_override_and_one_goes_on(visit) -> None:
    nurse = visit("en")
    nurse.open()
    given = ask(nurse, RASH)
    nurse.page.keyboard.press("5" if given != "5" else "4")
    expect(give_reason(nurse, "known_patient")).to_be_visible()
    nurse.page.keyboard.press("x")
    expect(level(nurse)).to_contain_text("5" if given != "5" else "4")
    nurse.rest()
    nurse.page.keyboard.press("n")
    expect(box(nurse)).to_have_value("")
    expect(box(nurse)).to_be_focused()
    expect(level(nurse)).to_have_count(0)


def test_what_is_typed_outlives_other_pages_and_the_way_back(visit) -> None:
    nurse = visit("zh")
    nurse.open()
    box(nurse).fill(CHEST_PAIN)
    nurse.go("quality")
    nurse.go("triage")
    expect(box(nurse)).to_have_value(CHEST_PAIN)
    ask(nurse, CHEST_PAIN)
    nurse.go("activity")
    nurse.page.go_back()
    expect(box(nurse)).to_have_value(CHEST_PAIN)
    expect(level(nurse)).to_be_visible()


def test_the_language_changes_and_the_answer_stays(visit) -> None:
    nurse = visit("en")
    nurse.open()
    given = ask(nurse, CHEST_PAIN)
    nurse.speak("zh")
    expect(nurse.page.get_by_role("heading", level=1)).to_have_text("分诊")
    expect(box(nurse)).to_have_value(CHEST_PAIN)
    expect(level(nurse)).to_contain_text(nurse.say.wording.label("acuity", given))
    nurse.go("quality")
    expect(nurse.page.get_by_role("heading", level=1)).to_have_text(nurse.say("Quality"))


def test_two_people_at_once_do_not_see_each_other_s_notes(visit) -> None:
    first, second = visit("zh"), visit("en")
    first.open()
    second.open()
    send(first, CHEST_PAIN)
    send(second, RASH)
    for nurse, theirs, other in ((first, CHEST_PAIN, RASH), (second, RASH, CHEST_PAIN)):
        expect(level(nurse)).to_be_visible()
        nurse.rest()
        expect(box(nurse)).to_have_value(theirs)
        assert other not in nurse.page.content()
    third = visit("en")
    third.open()
    expect(box(third)).to_have_value("")
    assert CHEST_PAIN not in third.page.content()
    assert RASH not in third.page.content()


def test_a_double_click_sends_and_decides_once(visit, served) -> None:
    nurse = visit("en")
    nurse.open()
    box(nurse).fill("Sore throat since yesterday, can drink, no fever")
    nurse.button("Assess").dblclick()
    expect(level(nurse)).to_be_visible()
    nurse.rest()
    with closing(records_of(served)) as records:
        hashes = [row[0] for row in records.execute("select note_hash from answers order by id desc limit 2")]
    assert len(set(hashes)) == len(hashes)


def test_double_clicks_on_the_other_buttons_do_their_work_once(visit, served) -> None:
    nurse = visit("en")
    nurse.open()
    given = ask(nurse, "Twisted my ankle on the stairs, swollen but I can walk on it")
    choose(nurse, "acuity", "4" if given != "4" else "5").dblclick()
    give_reason(nurse, "known_patient").dblclick()
    expect(give_reason(nurse, "known_patient")).to_have_count(0)
    nurse.rest()
    nurse.button("Accept all").dblclick()
    expect(answer(nurse).get_by_text(nurse.say("You have decided. Next note?"))).to_be_visible()
    nurse.rest()
    with closing(records_of(served)) as records:
        newest = "select task, count(*) from decisions where answer = (select max(id) from answers) group by task"
        assert dict(records.execute(newest)) == {"acuity": 1, "condition": 1, "department": 1}
    nurse.button("Next note").dblclick()
    expect(box(nurse)).to_have_value("")
    expect(level(nurse)).to_have_count(0)
    nurse.rest()


def test_a_note_of_a_megabyte_is_answered_and_kept(visit) -> None:
    nurse = visit("en")
    nurse.open()
    ask(nurse, "胸口痛，出汗。" * 50_000)
    expect(nurse.page.get_by_text(nurse.say("Please note"), exact=True)).to_be_visible()
    assert len(box(nurse).input_value()) == 350_000
