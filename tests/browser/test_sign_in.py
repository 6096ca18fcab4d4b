"""The whole sign-in in a browser, with a real OpenID provider on this machine."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from itsdangerous import URLSafeTimedSerializer
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.access.roles import OPEN_TO, ROOMS, Role
from tests.browser.provider import at_provider, desk_with_sign_in, provider, sign_in
from tests.browser.serving import Served, port_nobody_uses

NOTE = "crushing chest pain for half an hour, sweating"
PEOPLE: dict[Role, str] = {"nurse": "nurse1", "lead": "lead1", "researcher": "researcher1", "administrator": "admin1"}
IDLE = 8.0  # seconds
COOKIE = "_streamlit_user"


@pytest.fixture(scope="module")
def identity() -> Iterator[str]:
    with provider() as address:
        yield address


@pytest.fixture(scope="module")
def site(identity: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with desk_with_sign_in(tmp_path_factory.mktemp("signed"), identity) as served:
        yield served


@pytest.fixture(scope="module")
def impatient(identity: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk that signs people out after seconds."""
    minutes = f"{IDLE / 60:.3f}"
    with desk_with_sign_in(tmp_path_factory.mktemp("idle"), identity, TRIAGE_IDLE_MINUTES=minutes) as served:
        yield served


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a browser window with cookies of its own."""
    with ExitStack() as stack:

        def opened(**how: object) -> Page:
            context: BrowserContext = browser.new_context(locale="en-GB", **how)  # type: ignore[arg-type]
            stack.callback(context.close)
            context.set_default_timeout(30_000)
            return context.new_page()

        yield opened


def headline(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def signed_in(page: Page, site: Served, sub: str) -> None:
    sign_in(page, site.address, sub)
    expect(page.get_by_test_id("stPopoverButton")).to_be_visible()


def menu(page: Page, button: str) -> None:
    page.get_by_test_id("stPopoverButton").click()
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_sees_its_pages_and_is_refused_at_the_address_of_another(
    role: Role, site: Served, window: Callable[..., Page]
) -> None:
    page = window()
    signed_in(page, site, PEOPLE[role])
    assert page.url == f"{site.address}/"
    headline(page, OPEN_TO[role][0].capitalize())
    names = page.get_by_test_id("stTopNavLink").all_inner_texts()
    assert [name.split("\n")[-1].strip() for name in names] == [room.capitalize() for room in OPEN_TO[role]]
    other = next(room for room in reversed(ROOMS) if room not in OPEN_TO[role])
    page.goto(f"{site.address}/{other}")
    expect(page.get_by_text("This page is not open to you.")).to_be_visible()


@pytest.mark.parametrize("sub", ["visitor1", "odd1"])
def test_who_has_no_role_is_told_whom_to_ask(sub: str, site: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, site, sub)
    expect(page.get_by_text("You are signed in, but have no role here.")).to_be_visible()
    expect(page.get_by_text("porter")).to_have_count(0)


def test_a_token_that_no_reader_takes_is_said_and_locks_nobody_out(site: Served, window: Callable[..., Page]) -> None:
    page = window()
    sign_in(page, site.address, "huge1")
    expect(page.get_by_text("The sign-in did not come to its end.")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    at_provider(page, "nurse1")
    headline(page, "Triage")


def test_a_token_of_60_kb_signs_in_and_its_cookie_is_small(site: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, site, "large1")
    headline(page, "Triage")
    assert sum(len(cookie["value"]) for cookie in page.context.cookies()) < 6_000
    page.reload()
    headline(page, "Triage")


def test_cookies_are_for_the_desk_alone(site: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, site, "nurse1")
    [cookie] = [each for each in page.context.cookies() if each["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)


@pytest.mark.parametrize("forged", ["another secret", "changed", "nonsense"])
def test_a_forged_cookie_is_nobody(forged: str, site: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, site, "nurse1")
    [cookie] = [each for each in page.context.cookies() if each["name"] == COOKIE]
    if forged == "another secret":
        body = URLSafeTimedSerializer("x" * 64, salt=COOKIE).loads_unsafe(cookie["value"])[1]
        value = URLSafeTimedSerializer("x" * 64, salt=COOKIE).dumps(body)
    else:
        value = cookie["value"][:-3] + "AAA" if forged == "changed" else "nonsense"
    page.context.clear_cookies(name=COOKIE)
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": site.address}])
    page.goto(site.address)
    expect(page.get_by_text("Sign in to use this desk.")).to_be_visible()


def test_signing_out_ends_the_session_and_not_only_the_cookie(site: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, site, "nurse1")
    kept = page.context.cookies()
    page.get_by_label("Patient's message or clinical note").fill(NOTE)
    menu(page, "Sign out")
    page.get_by_role("button", name="End session").click()  # the provider signs the person out, too
    expect(page.get_by_text("Sign in to use this desk.")).to_be_visible()
    assert not [each for each in page.context.cookies() if each["name"] == COOKIE]
    page.context.add_cookies(kept)  # somebody who kept a copy has nothing
    page.goto(site.address)
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_signing_out_everywhere_clears_the_other_browser_within_seconds(
    site: Served, window: Callable[..., Page]
) -> None:
    here, there = window(), window()
    for page in (here, there):
        signed_in(page, site, "nurse1")
    there.get_by_label("Patient's message or clinical note").fill(NOTE)
    menu(here, "Sign out everywhere")
    expect(there.get_by_text("You were signed out on all devices.")).to_be_visible(timeout=15_000)
    expect(there.get_by_label("Patient's message or clinical note")).to_have_count(0)


def test_a_page_that_nobody_uses_is_cleared_and_a_reload_brings_nothing_back(
    impatient: Served, window: Callable[..., Page]
) -> None:
    page = window()
    signed_in(page, impatient, "nurse1")
    page.get_by_label("Patient's message or clinical note").fill(NOTE)
    page.get_by_role("button", name="Assess").click()
    expect(page.get_by_text("You were signed out because nobody used this page.")).to_be_visible(timeout=40_000)
    assert "chest pain" not in page.content()
    page.reload()
    expect(page.get_by_text("You were signed out because nobody used this page.")).to_be_visible()


def test_a_page_is_covered_when_nobody_uses_it_and_the_server_is_out_of_reach(
    impatient: Served, window: Callable[..., Page]
) -> None:
    page = window()
    signed_in(page, impatient, "nurse1")
    box = page.get_by_label("Patient's message or clinical note")
    box.fill(NOTE)
    cover = page.get_by_text("Nobody has used this page for a while, and the desk does not answer.")
    os.kill(impatient.pid, signal.SIGSTOP)
    try:
        expect(cover).to_be_visible(timeout=30_000)
        place = box.bounding_box()
        assert place
        shown = "([x, y]) => document.elementFromPoint(x, y).id"
        assert page.evaluate(shown, [place["x"] + 20, place["y"] + 20]) == "triage-cover"
    finally:
        os.kill(impatient.pid, signal.SIGCONT)
    expect(page.get_by_text("You were signed out because nobody used this page.")).to_be_visible()
    expect(cover).to_have_count(0)


def test_typing_is_use_and_another_tab_shares_it(impatient: Served, window: Callable[..., Page]) -> None:
    page = window()
    signed_in(page, impatient, "nurse1")
    other = page.context.new_page()
    other.goto(impatient.address)
    headline(other, "Triage")
    page.bring_to_front()
    box = page.get_by_label("Patient's message or clinical note")
    box.click()
    until = time.monotonic() + 2 * IDLE
    while time.monotonic() < until:
        box.press_sequentially("chest pain ", delay=60)
    headline(page, "Triage")
    headline(other, "Triage")
    assert box.input_value().startswith("chest pain chest pain")


def test_a_note_sent_by_the_first_keys_after_sign_in_gets_its_answer(site: Served, window: Callable[..., Page]) -> None:
    for _ in range(4):
        page = window()
        signed_in(page, site, "nurse1")
        page.get_by_label("Patient's message or clinical note").fill(NOTE)
        page.keyboard.press("Control+Enter")  # the same keys tell that somebody uses the page
        expect(page.locator(".st-key-acuity").get_by_role("heading")).to_be_visible()


def test_a_provider_that_is_down_is_said_and_works_when_it_is_back(tmp_path: Path, window: Callable[..., Page]) -> None:
    port = port_nobody_uses()
    with desk_with_sign_in(tmp_path, f"http://127.0.0.1:{port}") as site:
        page = window()
        page.goto(site.address)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("The sign-in service does not answer.")).to_be_visible()
        with provider(port):
            page.get_by_role("button", name="Try again").click()
            at_provider(page, "nurse1")
            headline(page, "Triage")


def test_a_provider_that_hangs_is_given_up(tmp_path: Path, window: Callable[..., Page]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held: list[socket.socket] = []

        def hold() -> None:
            while True:
                try:
                    held.append(silent.accept()[0])
                except OSError:
                    return

        threading.Thread(target=hold, daemon=True).start()
        with desk_with_sign_in(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}") as site:
            page = window()
            page.goto(site.address)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_text("The sign-in service does not answer.")).to_be_visible(timeout=25_000)
        for each in held:
            each.close()


def test_who_is_refused_by_the_provider_is_told(site: Served, window: Callable[..., Page]) -> None:
    page = window()
    page.goto(site.address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("The sign-in service did not let you in.")).to_be_visible()
