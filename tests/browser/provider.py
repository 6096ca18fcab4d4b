"""A real OpenID provider on this machine, and a browser that signs in with it."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

from playwright.sync_api import Page

from tests.browser.serving import Served, desk_served, port_nobody_uses

CLAIM = "roles"
PEOPLE: tuple[Mapping[str, Any], ...] = (
    {"sub": "nurse1", "name": "Nurse One", CLAIM: ["nurse"]},
    {"sub": "lead1", "name": "Lead One", CLAIM: "lead"},
    {"sub": "researcher1", "name": "Researcher One", CLAIM: ["researcher", "somebody-elses-group"]},
    {"sub": "admin1", "name": "Administrator One", CLAIM: ["administrator"]},
    {"sub": "visitor1", "name": "Visitor One", CLAIM: ["porter"]},
    {"sub": "odd1", "name": "Odd One", CLAIM: {"nurse": True}},
    {"sub": "large1", "name": "Large One", CLAIM: ["nurse"], "groups": "x" * 60_000},
    {"sub": "huge1", "name": "Huge One", CLAIM: ["nurse"], "groups": "x" * 100_000},
)


@contextmanager
def provider(port: int | None = None, people: tuple[Mapping[str, Any], ...] = PEOPLE, **more: int) -> Iterator[str]:
    """The provider's address, while it runs.

    Args:
        port: where it listens; else one that nobody uses.
        people: who can sign in, by their claims; the large ones are told to it once it runs.
        more: options of its own, such as `token_max_age=60`.
    """
    port = port or port_nobody_uses()
    tool = str(Path(sys.executable).with_name("oidc-provider-mock"))
    options = [f"--{name.replace('_', '-')}={value}" for name, value in more.items()]
    process = subprocess.Popen(
        [tool, "-H", "127.0.0.1", "-p", str(port), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/.well-known/openid-configuration")
        for person in people:
            tell(address, person)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def tell(address: str, person: Mapping[str, Any]) -> None:
    """Let somebody sign in, with these claims from now on."""
    body = json.dumps({name: value for name, value in person.items() if name != "sub"}).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/users/{person['sub']}", body, {"Content-Type": "application/json"}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - loopback


@contextmanager
def desk_with_sign_in(
    folder: Path, provider_address: str, port: int | None = None, **settings: str
) -> Iterator[Served]:
    """A desk at which people sign in with that provider."""
    port = port or port_nobody_uses()
    own = {
        "TRIAGE_OIDC_METADATA_URL": f"{provider_address}/.well-known/openid-configuration",
        "TRIAGE_OIDC_CLIENT_ID": "desk",
        "TRIAGE_OIDC_CLIENT_SECRET": "not-a-real-one",
        "TRIAGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with desk_served(folder, port, **(own | settings)) as served:
        yield served


def sign_in(page: Page, address: str, sub: str) -> None:
    """All the way: from the desk to the provider, and back to the desk's first page."""
    page.goto(address)
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("button", name="登录")).click()
    at_provider(page, sub)


def at_provider(page: Page, sub: str) -> None:
    """What a person does there."""
    page.locator("input[name=sub]").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - loopback
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("the provider did not open")
