import pytest
from playwright.sync_api import expect

from tests.browser.axe import grave_violations
from tests.browser.occupied import open_occupied
from tests.browser.triage_steps import RASH, ask, choose, give_reason
from tests.browser.visitor import PAGES


def test_axe_sees_a_barrier(browser) -> None:
    page = browser.new_page()
    page.set_content('<main><img src="x.png"><p style="color: #ccc; background: #fff">pale</p></main>')
    found = " ".join(grave_violations(page))
    page.close()
    assert "image-alt" in found
    assert "color-contrast" in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_barrier(visit, name, scheme) -> None:
    visitor = visit("en" if scheme == "light" else "zh", scheme=scheme, height=1200)
    open_occupied(visitor, name)
    assert grave_violations(visitor.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["triage", "spreadsheet", "activity"])
def test_no_page_has_a_barrier_while_it_is_empty(visit, name, scheme) -> None:
    visitor = visit(scheme=scheme)
    visitor.open(name)
    assert grave_violations(visitor.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finished_table_has_no_barrier_in_any_of_its_views(visit, scheme) -> None:
    lead = visit(scheme=scheme, height=1600)
    open_occupied(lead, "spreadsheet")
    found = {}
    for tab in lead.page.get_by_role("tab").all():
        tab.click()
        lead.settle()
        if grave := grave_violations(lead.page):
            found[tab.inner_text()] = grave
    assert not found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_question_for_a_reason_has_no_barrier(visit, scheme) -> None:
    nurse = visit(scheme=scheme)
    nurse.open()
    given = ask(nurse, RASH)
    choose(nurse, "acuity", "5" if given != "5" else "4").click()
    expect(give_reason(nurse, "known_patient")).to_be_visible()
    assert grave_violations(nurse.page) == []
