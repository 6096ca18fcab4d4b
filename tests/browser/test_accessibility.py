import pytest

from tests.browser.axe import grave_violations
from tests.browser.visitor import PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_barrier(visit, name, scheme) -> None:
    visitor = visit(scheme=scheme)
    visitor.open(name)
    assert grave_violations(visitor.page) == []
