"""A nurse at a ward's computer: by HTTPS, through nginx."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.serving import desk_served, port_nobody_uses
from tests.browser.triage_steps import CHEST_PAIN, ask, box
from tests.browser.visitor import PATIENCE, Visitor
from tests.deploy.nginx import MISSING, NGINX, Nginx, nginx


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    if NGINX is None:
        pytest.skip(MISSING)
    folder, port = tmp_path_factory.mktemp("proxied"), port_nobody_uses()
    with (
        nginx(folder / "nginx", desk=port) as running,
        desk_served(folder / "desk", port, TRIAGE_PUBLIC_URL=running.address),
    ):
        yield running


def test_a_note_is_answered_through_nginx(browser: Browser, proxied: Nginx) -> None:
    context = browser.new_context(locale="en-GB", ignore_https_errors=True)  # the certificate signs itself
    context.set_default_timeout(PATIENCE)
    sockets: list[str] = []
    failed: list[str] = []
    try:
        page = context.new_page()
        page.on("websocket", lambda opened: sockets.append(opened.url))
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        nurse = Visitor(page, proxied.address, "en")
        nurse.open()
        assert ask(nurse, CHEST_PAIN) in {"1", "2"}
        nurse.go("administration")
        nurse.go("triage")
        expect(box(nurse)).to_be_visible()
        assert all(cookie["secure"] for cookie in context.cookies())
    finally:
        context.close()
    assert sockets == [f"{proxied.address.replace('https', 'wss')}/_stcore/stream"]
    assert failed == []
    assert CHEST_PAIN not in proxied.log()
