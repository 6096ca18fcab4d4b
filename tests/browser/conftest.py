"""One desk and one browser for all tests here; each test gets visitors of its own."""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.settings import REPOSITORY
from tests.browser.serving import CHROMIUM, Served, chromium, desk_served
from tests.browser.visitor import PATIENCE, Visitor, visiting

HERE = Path(__file__).parent
PICTURES = REPOSITORY / "screenshots" / "failed"
FAILED = pytest.StashKey[bool]()
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for the picture."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report


# Not for the whole session: Playwright keeps an event loop in this thread, under which no other test could start one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium fonts-noto-cjk")
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk with the embedded endpoint and the default bundle."""
    with desk_served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser window of its own at the desk's address: `visit("zh", width=390)`."""
    with ExitStack() as windows:
        visitors: list[Visitor] = []

        def opened(language: str = "en", *, at: Served = served, **how: object) -> Visitor:
            visitor = windows.enter_context(visiting(browser, at.address, language, **how))  # type: ignore[arg-type]
            visitors.append(visitor)
            return visitor

        yield opened
        if request.node.stash.get(FAILED, False):
            for place, visitor in enumerate(visitors):
                picture = PICTURES / f"{re.sub('[^a-z0-9]+', '_', request.node.name)}_{place}.png"
                visitor.page.screenshot(path=picture)
                print(f"what was on screen: {picture}")  # noqa: T201 - pytest shows it with the failure
