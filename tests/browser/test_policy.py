"""The pages live with the headers that they are served with, and nothing on them comes from another host."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.browser.serving import Served
from tests.browser.visitor import PAGES, Visitor

LISTEN = """
window.refused = []
document.addEventListener('securitypolicyviolation', (event) =>
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`))
"""
WIDE = {"width": 1400}


def test_the_policy_refuses_nothing_that_a_page_needs(visit: Callable[..., Visitor], served: Served) -> None:
    visitor = visit("en", **WIDE)
    visitor.page.add_init_script(LISTEN)
    hosts: set[str] = set()
    visitor.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    refused: dict[str, list[str]] = {}
    for name in PAGES:
        visitor.open(name)
        if name == "triage":
            visitor.page.get_by_role("textbox").first.fill("crushing chest pain for half an hour")
            visitor.page.keyboard.press("Control+Enter")
            visitor.settle()
            visitor.page.get_by_text(visitor.say("Accept all")).wait_for()
        if name == "map":
            visitor.page.locator(".js-plotly-plot").first.wait_for()
        refused[name] = visitor.page.evaluate("window.refused")
    assert {name: found for name, found in refused.items() if found} == {}
    assert {host for host in hosts if host} == {urlsplit(served.address).netloc}


def test_a_script_that_somebody_brings_in_is_not_run(visit: Callable[..., Visitor]) -> None:
    visitor = visit("en")
    visitor.open()
    ran = visitor.page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.brought = 1';"
        " document.body.append(script); return window.brought ?? 0 }"
    )
    assert ran == 0


def test_no_other_page_can_frame_the_desk(visit: Callable[..., Visitor], served: Served) -> None:
    visitor = visit("en")
    visitor.page.set_content(f'<iframe src="{served.address}/"></iframe>')
    visitor.page.wait_for_timeout(2000)
    assert all("stApp" not in frame.content() for frame in visitor.page.frames[1:])


def test_the_page_about_the_api_is_readable_without_scripts(visit: Callable[..., Visitor], served: Served) -> None:
    visitor = visit("en")
    visitor.page.add_init_script(LISTEN)
    visitor.page.goto(f"{served.address}/api/docs")
    assert visitor.page.get_by_role("heading", name="Assess one note, or up to 256").is_visible()
    assert visitor.page.evaluate("getComputedStyle(document.body).maxWidth") == "960px"
    assert visitor.page.evaluate("window.refused") == []
