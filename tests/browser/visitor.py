"""Somebody at a browser: what the tests do on a page, in the words of those who use it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from app.text import Voice
from core.wording import Speech

PAGES = ("triage", "spreadsheet", "map", "quality", "activity", "administration")
LOCALES: dict[Speech, str] = {"zh": "zh-CN", "en": "en-GB"}
PATIENCE = 30_000  # milliseconds; the machine of a test may be busy
SETTLING = 5_000
TO_BEGIN = 400  # from a key or a click to the rerun that it asks for; nothing on the page says that one is coming

# Nothing is being computed, and what is on screen is of the last computation.
_AT_REST = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return !!app && app.dataset.testScriptState === 'notRunning' && app.dataset.testConnectionState === 'CONNECTED'
    && !!document.querySelector('h1')
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton], [data-testid=stSpinner]');
}"""
# Streamlit's page scrolls in an element of its own: the document alone would never tell.
_WIDTHS = """() => [document.documentElement, ...document.querySelectorAll(
    '[data-testid=stAppViewContainer], [data-testid=stMain], [data-testid=stMainBlockContainer]')]
  .map(e => [e.dataset.testid || e.tagName, e.scrollWidth - e.clientWidth]).filter(([, over]) => over > 0)"""


class Visitor:
    """One person with a browser window of their own.

    Attributes:
        page: the window.
        say: every sentence as this person's language has it.
    """

    def __init__(self, page: Page, address: str, language: Speech) -> None:
        self.page, self.say = page, Voice(language)
        self._address = address

    def open(self, name: str = "triage") -> None:
        """Go to a page by its address, in a new session, and wait until it is drawn."""
        self.page.goto(f"{self._address}/{'' if name == 'triage' else name}")
        self.rest()

    def go(self, name: str) -> None:
        """Go to a page by the navigation, in the same session."""
        # Streamlit forgets the click when a box that was just left sends its text after it; a hand is slower than this.
        self.page.evaluate("() => document.activeElement?.blur()")
        self.settle()
        self.page.get_by_role("link", name=self.say(name.capitalize()), exact=True).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(name.capitalize()))
        self.rest()

    def rest(self) -> None:
        """Wait until nothing is being computed.

        Raises:
            AssertionError: the page has broken.
        """
        self.page.wait_for_function(_AT_REST, timeout=PATIENCE)
        assert not self.page.get_by_test_id("stException").count(), "the page shows an exception"

    def settle(self) -> None:
        """Wait until what was just done has reached the desk, and nothing is being computed."""
        self.page.wait_for_timeout(TO_BEGIN)
        self.rest()

    def speak(self, language: Speech) -> None:
        """Switch the language."""
        self.page.get_by_role("radio", name={"zh": "中文", "en": "English"}[language]).click()
        self.say = Voice(language)
        self.rest()

    def button(self, label: str, **values: object) -> Locator:
        """The button that reads `label` in this person's language."""
        return self.page.get_by_role("button", name=self.say(label, **values))

    def sideways(self) -> list[list[Any]]:
        """What is wider than the window, and by how many pixels, once the page has settled in its width."""
        with suppress(TimeoutError):
            self.page.wait_for_function(f"() => !({_WIDTHS})().length", timeout=SETTLING)
        found: list[list[Any]] = self.page.evaluate(_WIDTHS)
        return found


@contextmanager
def visiting(
    browser: Browser,
    address: str,
    language: Speech = "en",
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Visitor]:
    """A visitor with cookies and storage of their own."""
    context = browser.new_context(
        locale=LOCALES[language], viewport={"width": width, "height": height}, color_scheme=scheme
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield Visitor(context.new_page(), address, language)
    finally:
        context.close()
