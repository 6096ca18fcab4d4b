"""The door of sign-in before Streamlit's routes: what browsers get, and what stays with the server."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value

from app.sign_in.cookie import Cookies
from app.sign_in.door import SignInDoor
from core.access.roles import OWN_NAMES
from core.records.chain import audit_key
from core.records.database import DatabaseRecords, now
from core.records.engine import open_engine
from core.records.sign_ins import SignIns
from core.settings import Settings

SECRET, COOKIE = "s" * 64, "_streamlit_user"
CLAIMS = {"sub": "nurse1", "name": "Nurse One", "roles": ["nurse", "choir"], "groups": ["g"], "is_logged_in": True}


@pytest.fixture
def records(site_settings: Settings, tmp_path: Any) -> Iterator[DatabaseRecords]:
    settings = Settings(data_dir=tmp_path / "data", _env_file=None)
    opened = DatabaseRecords(open_engine(settings.effective_database_url), key=lambda: audit_key(settings.data_dir))
    yield opened
    opened.close()


@pytest.fixture
def sign_ins(records: DatabaseRecords) -> SignIns:
    return SignIns(lambda: records, b"k" * 32, timedelta(minutes=15))


Opening = Callable[..., TestClient]


@pytest.fixture
def door(sign_ins: SignIns) -> Opening:
    """A door before pages that answer as Streamlit's do: `claims` in pieces of their own, or an error."""

    def opened(claims: dict[str, Any] | None = None, *, is_secure: bool = True, login: int = 302) -> TestClient:
        def callback(request: Request) -> Response:
            answer = RedirectResponse("/", 302)
            if claims is not None:
                for name, value in ((COOKIE, claims), (f"{COOKIE}_tokens", {"id_token": "i" * 9000})):
                    answer.set_cookie(name, create_signed_value(SECRET, name, json.dumps(value)).decode())
            answer.set_cookie("_streamlit_session", "state", httponly=True)
            return answer

        def way(request: Request) -> Response:
            if login == 500:
                raise RuntimeError("broken")
            return Response("Authentication error", login, {"location": "https://id.example.org"})

        def page(request: Request) -> Response:
            answer = PlainTextResponse("page")
            answer.set_cookie("_streamlit_xsrf", "x")
            return answer

        routes = [
            Route("/oauth2callback", callback),
            Route("/auth/login", way),
            Route("/auth/logout", page),
            Route("/_stcore/upload_file/{rest:path}", page, methods=["PUT"]),
            Route("/media/{file}", page),
            Route("/", page),
        ]
        cookies = Cookies(SECRET, is_secure, "roles", OWN_NAMES)
        app = SignInDoor(Starlette(routes=routes), cookies, lambda: sign_ins)
        return TestClient(app, base_url="https://desk.example.org", follow_redirects=False)

    return opened


def kept_in(client: TestClient) -> dict[str, Any]:
    found = decode_signed_value(SECRET, COOKIE, client.cookies[COOKIE])
    assert found is not None
    claims: dict[str, Any] = json.loads(found)
    return claims


def test_the_cookie_holds_a_session_and_only_the_claims_that_the_desk_looks_at(
    door: Opening, sign_ins: SignIns
) -> None:
    client = door(CLAIMS)
    answer = client.get("/oauth2callback?code=1&state=2")
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    kept = kept_in(client)
    found = sign_ins.find(kept.pop("sid"))
    assert found is not None
    assert found.person == "nurse1"
    assert kept == {"sub": "nurse1", "name": "Nurse One", "roles": ["nurse"], "is_logged_in": True}
    assert len(client.cookies[f"{COOKIE}_tokens"]) < 200  # the provider's token was too long to go along


def test_every_cookie_goes_over_https_alone_where_people_come_by_it(door: Opening) -> None:
    client = door(CLAIMS)
    headers = [
        *client.get("/oauth2callback?code=1").headers.get_list("set-cookie"),
        *client.get("/").headers.get_list("set-cookie"),
    ]
    assert len(headers) == 4
    assert all("Secure" in header for header in headers)
    for header in headers[:3]:
        assert "HttpOnly" in header
        assert "samesite=lax" in header.lower()
    plain = door(CLAIMS, is_secure=False).get("/").headers.get_list("set-cookie")
    assert "Secure" not in plain[0]


@pytest.mark.parametrize(
    ("claims", "query", "code"),
    [
        (None, "code=1", "failed"),
        (None, "error=access_denied", "refused"),
        ({"name": "Nobody"}, "code=1", "no_id"),
        ({"sub": 7}, "code=1", "no_id"),
    ],
)
def test_a_sign_in_that_fails_is_said_by_a_code_and_leaves_no_cookie(
    door: Opening, claims: dict[str, Any] | None, query: str, code: str
) -> None:
    client = door(claims)
    answer = client.get(f"/oauth2callback?{query}")
    assert answer.headers["location"] == f"/?sign_in={code}"
    assert COOKIE not in client.cookies


def test_who_comes_back_from_signing_out_at_the_provider_lands_on_the_first_page(door: Opening) -> None:
    assert door().get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize("status", [400, 500])
def test_a_provider_that_does_not_answer_is_said(door: Opening, status: int) -> None:
    assert door(login=status).get("/auth/login?provider=x").headers["location"] == "/?sign_in=unreachable"
    assert door().get("/auth/login?provider=x").headers["location"] == "https://id.example.org"


def test_where_no_session_can_be_kept_nobody_signs_in(door: Opening, records: DatabaseRecords) -> None:
    records.tidy()
    with records.writing() as pen:
        pen.connection.exec_driver_sql("DROP TABLE sign_ins")
    client = door(CLAIMS)
    assert client.get("/oauth2callback?code=1").headers["location"] == "/?sign_in=not_kept"
    assert COOKIE not in client.cookies


def test_signing_out_ends_the_session_and_takes_every_piece_of_the_cookie(door: Opening, sign_ins: SignIns) -> None:
    client = door(CLAIMS)
    client.get("/oauth2callback?code=1")
    session = kept_in(client)["sid"]
    client.cookies.set(f"{COOKIE}_1", "left over", domain="desk.example.org")
    client.get("/auth/logout")
    found = sign_ins.find(session)
    assert found is not None
    assert found.ended == "signed_out"
    assert not [name for name in client.cookies if name.startswith(COOKIE)]


def test_the_next_person_at_a_browser_ends_the_sign_in_of_the_one_before(door: Opening, sign_ins: SignIns) -> None:
    client = door(CLAIMS)
    client.get("/oauth2callback?code=1")
    before = kept_in(client)["sid"]
    client.get("/oauth2callback?code=2")
    found = sign_ins.find(before)
    assert found is not None
    assert found.ended == "replaced"


def test_only_who_is_signed_in_can_send_a_file(door: Opening, sign_ins: SignIns) -> None:
    client = door(CLAIMS)
    assert client.put("/_stcore/upload_file/s/f", content=b"x").status_code == 403
    client.get("/oauth2callback?code=1")
    assert client.put("/_stcore/upload_file/s/f", content=b"x").status_code == 200
    sign_ins.end_all("nurse1")
    assert client.put("/_stcore/upload_file/s/f", content=b"x").status_code == 403


def test_the_address_of_a_download_opens_nothing_without_a_sign_in(door: Opening, sign_ins: SignIns) -> None:
    client = door(CLAIMS)
    assert client.get("/media/0123.csv").status_code == 403
    assert client.get("/media/icon.svg").status_code == 200
    client.get("/oauth2callback?code=1")
    assert client.get("/media/0123.csv").status_code == 200
    sign_ins.end_all("nurse1")
    assert client.get("/media/0123.csv").status_code == 403


def test_a_page_tells_of_use_and_another_site_s_does_not(door: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    monkeypatch.setattr(SignIns, "seen", lambda _, session: used.append(session))
    client = door(CLAIMS)
    assert client.post("/auth/used").status_code == 403
    client.get("/oauth2callback?code=1")
    assert client.post("/auth/used", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204
    assert used == [kept_in(client)["sid"]]
    assert client.post("/auth/used", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/auth/used").status_code == 405
    assert len(used) == 1


def test_a_session_that_was_signed_by_somebody_else_is_none(door: Opening, sign_ins: SignIns) -> None:
    client = door(CLAIMS)
    id_ = sign_ins.begin("nurse1", {"nurse"}, now() + timedelta(hours=1))
    forged = create_signed_value("f" * 64, COOKIE, json.dumps({"sid": id_})).decode()
    client.cookies.set(COOKIE, forged, domain="desk.example.org")
    assert client.put("/_stcore/upload_file/s/f", content=b"x").status_code == 403
