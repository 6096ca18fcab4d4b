"""What of the desk can be reached through nginx, how, and by whom."""

import http.client
import json
import socket
import ssl
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.api.door import NOTES, SMALL, TABLE, limit_for
from core.settings import REPOSITORY
from tests.deploy.certificates import certificate
from tests.deploy.nginx import MISSING, NGINX, Nginx, nginx

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason=MISSING)]
ONCE = ("strict-transport-security", "content-security-policy", "x-frame-options", "x-content-type-options",
        "referrer-policy", "permissions-policy", "cross-origin-opener-policy", "x-request-id")  # fmt: skip
NOTE = json.dumps({"text": "Sore throat for two days, drinks well"}).encode()


def tls(running: Nginx, *, name: str = "localhost", version: ssl.TLSVersion | None = None) -> str | None:
    """The version of TLS that a client gets."""
    context = running.certificate.trusting()
    if version:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", running.https), 10) as raw,
        context.wrap_socket(raw, server_hostname=name) as wrapped,
    ):
        return wrapped.version()


def test_http_leads_to_https_and_to_no_name_that_a_client_chose(behind: Nginx) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", behind.http, timeout=10)) as to:
        to.request("GET", "/quality?a=b", headers={"Host": "evil.example"})
        answer = to.getresponse()
        answer.read()
    assert (answer.status, answer.getheader("location")) == (301, f"{behind.address}/quality?a=b")


def test_a_modern_tls_is_spoken(behind: Nginx) -> None:
    assert tls(behind) == "TLSv1.3"
    assert tls(behind, version=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=str)
def test_an_old_tls_is_refused(behind: Nginx, version: ssl.TLSVersion) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls(behind, version=version)


def test_another_name_is_refused(behind: Nginx) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls(behind, name="triage.example.org")
    assert behind.ask("GET", "/healthz", headers={"Host": "evil.example"})[0] == 421


def test_an_expired_certificate_is_refused_by_clients(tmp_path: Path) -> None:
    with nginx(tmp_path, desk=1, shown=certificate(tmp_path / "old", days=-1)) as running:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            tls(running)


@pytest.mark.parametrize("path", ["/", "/quality", "/healthz", "/api/docs", "/api/v1/nope"])
def test_each_header_is_there_once(behind: Nginx, path: str) -> None:
    _, headers, _ = behind.ask("GET", path)
    found = Counter(name for name, _ in headers)
    assert {name: found[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert found["server"] == 1
    assert ("server", "nginx") in headers


def test_cookies_are_sent_by_https_alone(behind: Nginx) -> None:
    cookies = [value for path in ("/", "/_stcore/health") for name, value in behind.ask("GET", path)[1]
               if name == "set-cookie"]  # fmt: skip
    assert cookies
    assert all("; secure" in cookie.lower() for cookie in cookies)


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/openapi.json", "/quality/", "/.env",
     "/api", "/_stcore/script-health-check", "/static/../metrics", "/%6detrics", "/admin"],
)  # fmt: skip
def test_nothing_else_can_be_reached(behind: Nginx, path: str) -> None:
    assert behind.ask("GET", path)[0] == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("DELETE", "/healthz"), ("PUT", "/static/x")])
def test_what_only_reads_takes_no_other_method(behind: Nginx, method: str, path: str) -> None:
    assert behind.ask(method, path)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Host": "localhost"}, {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}, {"X-Forwarded-For": ""},
     {"Forwarded": "for=127.0.0.1"}, {"Connection": "X-Forwarded-For, X-Real-IP, X-Forwarded-Host"}],
    ids=str,
)  # fmt: skip
def test_nobody_is_taken_for_a_program_on_this_machine(behind: Nginx, headers: dict[str, str]) -> None:
    """No key was ever made, so a program on this machine would be answered; through nginx nobody is."""
    status, _, body = behind.ask("POST", "/api/v1/assess", NOTE, headers)
    assert status in (401, 421)
    assert b"ranked" not in body


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/healthz", SMALL), ("/api/v1/assess", NOTES), ("/cds-services/triage-desk", NOTES), ("/api/v1/jobs", TABLE),
     ("/_stcore/upload_file/a/b", TABLE)],
)  # fmt: skip
def test_a_body_over_the_desk_s_own_limit_is_refused_before_it_is_sent(behind: Nginx, path: str, limit: int) -> None:
    assert limit_for(path) == limit
    answered = {}
    for size in (limit, limit + 1):
        trusting = behind.certificate.trusting()
        with closing(http.client.HTTPSConnection("localhost", behind.https, timeout=20, context=trusting)) as to:
            to.putrequest("PUT" if "upload" in path else "POST", path)
            to.putheader("Content-Length", str(size))
            to.putheader("Content-Type", "application/json")
            to.endheaders(b"{")
            with to.getresponse() as answer:
                answered[size] = answer.status
    assert answered[limit + 1] == 413
    assert answered[limit] != 413  # the desk refuses it for another reason, or it is waited for


def test_who_sends_slowly_is_let_go_while_others_are_answered(behind: Nginx) -> None:
    context, began = behind.certificate.trusting(), time.monotonic()
    with ExitStack() as open_ones:
        slow = []
        for number in range(40):
            raw = open_ones.enter_context(socket.create_connection(("127.0.0.1", behind.https), 10))
            one = open_ones.enter_context(context.wrap_socket(raw, server_hostname="localhost"))
            body = b"POST /api/v1/assess HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{"
            one.sendall(body if number % 2 else b"GET /healthz HTTP/1.1\r\nHost: loc")
            slow.append(one)
        asked = time.monotonic()
        assert behind.ask("GET", "/healthz")[0] == 200
        assert time.monotonic() - asked < 2
        for one in slow:
            one.settimeout(10)
            try:
                while one.recv(4096):
                    pass
            except (ssl.SSLError, ConnectionError):  # cut
                pass
    assert time.monotonic() - began < 12


def test_too_many_sign_ins_are_told_to_wait(behind: Nginx) -> None:
    statuses = Counter(behind.ask("GET", "/auth/login")[0] for _ in range(90))
    assert statuses[429]
    assert statuses.total() - statuses[429] >= 50
    assert behind.ask("GET", "/healthz")[0] == 200


def socket_of(running: Nginx, origin: str | None) -> int:
    """What a page of `origin` gets that opens the pages' WebSocket; 101: it is open."""
    try:
        with connect(
            f"wss://localhost:{running.https}/_stcore/stream",
            ssl=running.certificate.trusting(), origin=origin, subprotocols=["streamlit"], proxy=None,
        ):  # fmt: skip
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_only_the_desk_s_own_page_opens_its_websocket(behind: Nginx) -> None:
    assert socket_of(behind, behind.address) == 101
    for foreign in ("https://evil.example", "http://localhost", "https://localhost", "null", None,
                    behind.address.replace("https", "http")):  # fmt: skip
        assert socket_of(behind, foreign) == 403, foreign


def test_nginx_knows_the_pages_of_the_desk(behind: Nginx) -> None:
    for page in (REPOSITORY / "app" / "app_pages").glob("*.py"):
        path = "/" if page.stem == "triage" else f"/{page.stem}"
        assert behind.ask("GET", path)[0] == 200, path


def test_its_log_holds_neither_query_nor_upload_address(behind: Nginx) -> None:
    behind.ask("GET", "/oauth2callback?code=planted-code&state=planted-state", headers={"Referer": "planted-referrer"})
    behind.ask("PUT", "/_stcore/upload_file/planted-session/planted-file", b"x")
    status, headers, _ = behind.ask("GET", "/healthz", headers={"X-Request-ID": "asked-by-a-test"})
    assert (status, dict(headers)["x-request-id"]) == (200, "asked-by-a-test")
    end = time.monotonic() + 5
    while "asked-by-a-test" not in behind.log() and time.monotonic() < end:  # written after the answer is sent
        time.sleep(0.05)
    lines = [json.loads(line) for line in behind.log().splitlines() if line.startswith("{")]
    assert {"/oauth2callback", "/_stcore/upload_file/..."} <= {line["uri"] for line in lines}
    assert "asked-by-a-test" in {line["request_id"] for line in lines}
    assert "planted" not in behind.log()
