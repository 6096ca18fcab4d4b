"""axe-core's verdict on a page."""

from typing import Any

from playwright.sync_api import Page

from core.settings import REPOSITORY

SCRIPT = REPOSITORY / ".venv" / "share" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def grave_violations(page: Page) -> list[str]:
    """Serious and critical violations of the page as it is now: rule, element and what is wrong, a line each.

    Raises:
        AssertionError: axe-core is not there.
    """
    assert SCRIPT.is_file(), "axe-core is missing: `make test-browser` installs it"
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['impact']} {violation['id']} at {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
