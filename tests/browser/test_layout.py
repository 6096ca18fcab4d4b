import pytest

from tests.browser.occupied import open_occupied
from tests.browser.visitor import PAGES

WIDTHS = (1280, 820, 390)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(visit, name, language) -> None:
    visitor = visit(language)
    open_occupied(visitor, name)
    over = {}
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.rest()
        if wider := visitor.sideways():
            over[width] = wider
    assert not over
