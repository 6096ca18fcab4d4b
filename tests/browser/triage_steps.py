"""What a nurse does on the Triage page."""

from playwright.sync_api import Locator, expect

from app.answer_keys import SEND_KEYS
from tests.browser.visitor import Visitor

CHEST_PAIN = "胸口压着痛半小时，出冷汗，左胳膊发麻"
FEVER = "孩子三岁，昨晚发烧39度，吃了退烧药能退，精神还可以，有点咳嗽"
RASH = "Itchy red rash on both forearms since last week, no fever, new washing powder"


def box(nurse: Visitor) -> Locator:
    """The box for the note."""
    return nurse.page.get_by_role("textbox", name=nurse.say("Patient's message or clinical note"))


def answer(nurse: Visitor) -> Locator:
    """Where the answer stands."""
    return nurse.page.locator(".st-key-answer")


def level(nurse: Visitor) -> Locator:
    """The urgency in big letters."""
    return nurse.page.locator(".st-key-acuity").get_by_role("heading")


def send(nurse: Visitor, note: str) -> None:
    """Paste a note and send it with the keys; does not wait."""
    box(nurse).fill(note)
    nurse.page.keyboard.press(SEND_KEYS.replace("Ctrl", "Control"))


def ask(nurse: Visitor, note: str) -> str:
    """Paste a note, send it, wait for the answer; the level's number."""
    send(nurse, note)
    nurse.settle()
    expect(level(nurse)).to_be_visible()
    nurse.rest()
    return "".join(character for character in level(nurse).inner_text() if character.isdecimal())


def choose(nurse: Visitor, task: str, label: str) -> Locator:
    """The button that chooses a label."""
    return nurse.page.locator(f".st-key-choose_{task}_{label}").get_by_role("button")


def give_reason(nurse: Visitor, reason: str) -> Locator:
    """The button of a reason."""
    return nurse.page.locator(f".st-key-reason_{reason}").get_by_role("button")


def ask_why(nurse: Visitor) -> Locator:
    """Open what the answer rests on; its panel."""
    panel = nurse.page.locator(".st-key-why")
    panel.get_by_text(nurse.say("Why this answer?")).click()
    expect(panel.get_by_text(nurse.say("Phrases that moved the answer"))).to_be_visible()
    nurse.settle()
    return panel
