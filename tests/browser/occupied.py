"""Pages with something on them, as they are in the middle of a day: an answer, a finished table, recorded notes."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from tests.browser.tables import write_gb18030
from tests.browser.triage_steps import CHEST_PAIN, FEVER, RASH, ask, ask_why, choose, give_reason, level
from tests.browser.visitor import Visitor

SMALL = 40  # rows
RUN = 120_000  # milliseconds


def open_occupied(visitor: Visitor, name: str) -> None:
    """Open a page, with something on it where it is empty at first."""
    _WAYS.get(name, Visitor.open)(visitor, name)
    visitor.rest()


def _with_an_answer(visitor: Visitor, name: str) -> None:
    visitor.open(name)
    ask(visitor, CHEST_PAIN)
    ask_why(visitor)


def _with_a_finished_table(visitor: Visitor, name: str) -> None:
    visitor.open(name)
    earlier = visitor.page.locator("[class*=st-key-open_]").get_by_role("button")
    if earlier.count():
        earlier.first.click()
    else:
        with TemporaryDirectory() as folder:
            table = write_gb18030(Path(folder) / "门诊预检.csv", SMALL)
            visitor.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(table)
            visitor.page.locator(".st-key-spreadsheet_start").get_by_role("button").click()
    expect(visitor.page.get_by_role("tab").first).to_be_visible(timeout=RUN)


def _with_recorded_notes(visitor: Visitor, name: str) -> None:
    visitor.open()
    for note in (RASH, FEVER, CHEST_PAIN):
        given = ask(visitor, note)
        if note == RASH:
            wanted = "3" if given != "3" else "4"
            choose(visitor, "acuity", wanted).click()
            give_reason(visitor, "known_patient").click()
            expect(level(visitor)).to_contain_text(wanted)
        visitor.button("Accept all").click()
        visitor.rest()
    visitor.go(name)


_WAYS: dict[str, Callable[[Visitor, str], None]] = {
    "triage": _with_an_answer,
    "spreadsheet": _with_a_finished_table,
    "activity": _with_recorded_notes,
}
