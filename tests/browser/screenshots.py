"""`python -m tests.browser.screenshots`: a picture of each page in each language, light and dark, into `screenshots/`.

A desk of its own is served for it, with self-made notes only.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from core.settings import REPOSITORY
from core.wording import Speech
from tests.browser.occupied import open_occupied
from tests.browser.serving import CHROMIUM, chromium, desk_served
from tests.browser.visitor import PAGES, Visitor, visiting

FOLDER = REPOSITORY / "screenshots"
HEIGHT, TALLEST = 800, 6000  # pixels
NARROW = (820, 390)
Scheme = Literal["light", "dark"]

_CONTENT_HEIGHT = """() => {
  const main = document.querySelector('[data-testid=stMain]'), block = main?.firstElementChild;
  return block ? Math.ceil(main.getBoundingClientRect().top + main.scrollTop + block.scrollHeight) : 0;
}"""


def take_all(folder: Path, names: tuple[str, ...] = PAGES) -> Iterator[Path]:
    """Every picture, as it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, desk_served(Path(temporary)) as served, chromium() as browser:
        for language in ("zh", "en"):
            for scheme in ("light", "dark"):
                yield from _take_one_look(browser, served.address, language, scheme, folder, names)


def _take_one_look(
    browser: Browser, address: str, language: Speech, scheme: Scheme, folder: Path, names: tuple[str, ...]
) -> Iterator[Path]:
    for name in names:
        with visiting(browser, address, language, height=HEIGHT, scheme=scheme) as visitor:
            open_occupied(visitor, name)
            yield _picture(visitor, folder / f"{name}_{language}_{scheme}_1280.png")
            yield from _views(visitor, folder, f"{name}_{language}_{scheme}")
            if name == "triage":
                for width in NARROW:
                    visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
                    visitor.settle()
                    yield _picture(visitor, folder / f"{name}_{language}_{scheme}_{width}.png")


def _views(visitor: Visitor, folder: Path, stem: str) -> Iterator[Path]:
    """What lies behind the page's other tabs."""
    for place, tab in enumerate(visitor.page.get_by_role("tab").all()[1:], start=2):
        tab.click()
        visitor.settle()
        yield _picture(visitor, folder / f"{stem}_view{place}.png")


def _picture(visitor: Visitor, path: Path) -> Path:
    """A picture of the whole page: a window tall enough for all of it, since the page scrolls inside."""
    page = visitor.page
    width = page.viewport_size["width"] if page.viewport_size else 0
    _grow(page, width)
    visitor.settle()
    page.mouse.move(0, 0)
    page.screenshot(path=path, animations="disabled")
    page.set_viewport_size({"width": width, "height": HEIGHT})
    return path


def _grow(page: Page, width: int) -> None:
    tall = min(TALLEST, max(HEIGHT, int(page.evaluate(_CONTENT_HEIGHT))))
    page.set_viewport_size({"width": width, "height": tall})


def main() -> None:
    """Take the pictures of the pages named, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PAGE", help=f"one of {', '.join(PAGES)}; none: all")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    if unknown := set(options.names) - set(PAGES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if CHROMIUM is None:
        sys.exit("chromium is not installed: apt-get install chromium fonts-noto-cjk")
    if not options.names:
        shutil.rmtree(options.folder, ignore_errors=True)
    for picture in take_all(options.folder, tuple(options.names) or PAGES):
        print(picture, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
