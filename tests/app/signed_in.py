"""Pages as somebody sees them who has signed in: with the claims of a cookie, and a session in the records."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import desk
from core.records.database import now
from core.settings import REPOSITORY

MAIN = str(REPOSITORY / "app" / "main.py")
SETTINGS = {
    "OIDC_METADATA_URL": "http://127.0.0.1:9/.well-known/openid-configuration",
    "OIDC_CLIENT_ID": "desk",
    "OIDC_CLIENT_SECRET": "not-a-real-one",
    "PUBLIC_URL": "http://127.0.0.1:8501",
}


def set_up(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """A desk at which people sign in."""
    for name, value in (SETTINGS | more).items():
        monkeypatch.setenv(f"TRIAGE_{name}", value)


def signed_in(roles: object, sub: str = "person1", *, expires: datetime | None = None) -> dict[str, Any]:
    """The claims of somebody who signs in now."""
    known = [role for role in roles if isinstance(role, str)] if isinstance(roles, Iterable) else []
    session = desk.sign_ins().begin(sub, known, expires or now() + timedelta(hours=1))
    return {"is_logged_in": True, "sub": sub, "name": "Person One", "sid": session, "roles": roles}


def page_of(user: dict[str, Any], name: str = "triage") -> AppTest:
    """A page as that person sees it."""
    page = AppTest.from_file(MAIN, default_timeout=90)
    page.user = user
    return page.switch_page(f"app_pages/{name}.py").run()


def said(page: AppTest) -> str:
    """Every sentence of the page's boxes and paragraphs."""
    return " ".join(
        str(each.value) for each in (*page.error, *page.warning, *page.info, *page.markdown, *page.success, *page.title)
    )
