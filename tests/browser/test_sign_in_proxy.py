"""Sign-in by HTTPS, through nginx: the whole way, the note, and the way out."""

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.provider import desk_with_sign_in, provider, sign_in
from tests.browser.serving import port_nobody_uses
from tests.browser.triage_steps import CHEST_PAIN, ask
from tests.browser.visitor import PATIENCE, Visitor
from tests.deploy.nginx import MISSING, NGINX, Nginx, nginx


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    if NGINX is None:
        pytest.skip(MISSING)
    folder, port = tmp_path_factory.mktemp("proxied"), port_nobody_uses()
    with (
        nginx(folder / "nginx", desk=port) as running,
        provider() as identity,
        desk_with_sign_in(
            folder / "desk",
            identity,
            port,
            TRIAGE_PUBLIC_URL=running.address,
            TRIAGE_COOKIE_SECRET=secrets.token_hex(32),
        ),
    ):
        yield running


def test_a_nurse_signs_in_through_nginx_and_out_again(browser: Browser, proxied: Nginx) -> None:
    context = browser.new_context(locale="en-GB", ignore_https_errors=True)  # the certificate signs itself
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        sign_in(page, proxied.address, "nurse1")
        expect(page.get_by_test_id("stPopoverButton")).to_be_visible()
        assert page.url == f"{proxied.address}/"
        nurse = Visitor(page, proxied.address, "en")
        assert ask(nurse, CHEST_PAIN) in {"1", "2"}
        cookies = [cookie for cookie in context.cookies() if cookie["domain"] == "localhost"]
        assert {cookie["secure"] for cookie in cookies} == {True}
        assert any(cookie["name"].startswith("_streamlit_user") and cookie["httpOnly"] for cookie in cookies)
        page.get_by_test_id("stPopoverButton").click()
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    finally:
        context.close()
    assert "code=" not in proxied.log()
