"""Every door, tried without a key, with a wrong one, with one that is too old or for something else."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.api.headers import EVERYWHERE
from core.access.keys import KeyStore
from core.errors import EndpointUnavailable
from tests.app.api.conftest import Api

NOTE = {"text": "咽痛两天"}
CANARY = "sehr geheimes Fieber 4711"
DOORS = [
    ("POST", "/api/v1/assess", "assess"),
    ("POST", "/api/v1/jobs", "jobs"),
    ("GET", "/api/v1/jobs/" + "0" * 32, "jobs"),
    ("GET", "/api/v1/jobs/" + "0" * 32 + "/result", "jobs"),
    ("DELETE", "/api/v1/jobs/" + "0" * 32, "jobs"),
    ("POST", "/api/v1/fhir/assess", "fhir"),
    ("GET", "/cds-services", "fhir"),
    ("POST", "/cds-services/triage-desk", "fhir"),
    ("GET", "/metrics", "metrics"),
]
every_door = pytest.mark.parametrize(("method", "path", "scope"), DOORS, ids=lambda value: str(value)[:40])


def detail(answer: object) -> str:
    """What a problem or an OperationOutcome says."""
    facts = answer.json()  # type: ignore[attr-defined]
    return str(facts.get("detail") or facts["issue"][0]["diagnostics"])


def test_the_list_of_doors_is_complete(api: Api) -> None:
    known = {(method, path.replace("0" * 32, "{id}")) for method, path, _ in DOORS}
    documented = {
        (method.upper(), path)
        for path, operations in api.app._api.state.document["paths"].items()  # type: ignore[attr-defined]
        for method, operation in operations.items()
        if "security" in operation
    }
    assert documented == known


@every_door
def test_without_a_key_nobody_comes_in(api: Api, method: str, path: str, scope: str) -> None:
    api.key()
    answer = api.ask(method, path, NOTE)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in detail(answer)


@every_door
def test_a_wrong_key_does_not_open(api: Api, method: str, path: str, scope: str) -> None:
    key = api.key()
    id_ = key.split("_")[1]
    for wrong in ("x", "triage_" + id_, key[:-1] + ("A" if key[-1] != "A" else "B"), f"triage_{'0' * 12}_{'a' * 43}"):
        answer = api.ask(method, path, NOTE, key=wrong)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert api.ask(method, path, NOTE, headers={"Authorization": f"Basic {key}"}).status == 401


@every_door
def test_a_revoked_key_does_not_open(api: Api, method: str, path: str, scope: str) -> None:
    key = api.key()
    assert api.ask(method, path, NOTE, key=key).status not in (401, 403)
    KeyStore(api.services.settings.data_dir).revoke(key.split("_")[1])
    assert api.ask(method, path, NOTE, key=key).status == 401


@every_door
def test_a_key_that_has_ended_does_not_open(api: Api, method: str, path: str, scope: str) -> None:
    long_ago = KeyStore(api.services.settings.data_dir, lambda: datetime.now(UTC) - timedelta(days=91))
    key, _ = long_ago.create("old", ["assess", "jobs", "metrics", "fhir"])
    assert api.ask(method, path, NOTE, key=key).status == 401


@every_door
def test_a_key_for_something_else_does_not_open(api: Api, method: str, path: str, scope: str) -> None:
    others = [each for each in ("assess", "jobs", "metrics", "fhir") if each != scope]
    answer = api.ask(method, path, NOTE, key=api.key("other", *others))
    assert answer.status == 403
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@every_door
def test_while_there_is_no_key_this_machine_is_let_in_and_nobody_else(
    api: Api, method: str, path: str, scope: str
) -> None:
    assert api.ask(method, path, NOTE).status not in (401, 403)
    assert api.ask(method, path, NOTE, client="192.0.2.7").status == 401
    assert api.ask(method, path, NOTE, headers={"X-Forwarded-For": "192.0.2.7"}).status == 401
    assert api.ask(method, path, NOTE, headers={"Host": "rebound.example"}).status == 401


def test_a_desk_that_has_had_a_key_never_answers_without_one_again(api: Api) -> None:
    key = api.key()
    KeyStore(api.services.settings.data_dir).revoke(key.split("_")[1])
    assert api.ask("POST", "/api/v1/assess", NOTE).status == 401


def test_keys_that_cannot_be_read_let_nobody_in(api: Api) -> None:
    key = api.key()
    path = api.services.settings.data_dir / "access.sqlite"
    path.write_bytes(b"no database" * 100)
    assert api.ask("POST", "/api/v1/assess", NOTE, key=key).status == 503
    assert api.ask("POST", "/api/v1/assess", NOTE).status == 503


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/openapi.json", "/api/docs", "/api/docs.css"])
def test_what_is_open_stays_open(api: Api, path: str) -> None:
    api.key()
    assert api.ask("GET", path).status == 200


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nope", "/api/v1", "/api/v2/assess", "/cds-services/other"])
def test_what_is_not_there_is_a_problem_and_no_page(api: Api, path: str) -> None:
    answer = api.ask("GET", path)
    assert answer.status in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_method_is_refused(api: Api) -> None:
    answer = api.ask("PUT", "/api/v1/assess")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_other_addresses_are_the_pages(api: Api) -> None:
    for path in ("/", "/apix", "/healthz2", "/quality"):
        assert api.ask("GET", path).body == b"a page"


@pytest.mark.parametrize("path", ["/", "/api/nope", "/healthz", "/api/docs"])
def test_every_answer_has_the_headers(api: Api, path: str) -> None:
    headers = api.ask("GET", path).headers
    assert {name: headers.get(name.lower()) for name in EVERYWHERE} == dict(EVERYWHERE)
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers.get("cache-control") == "no-store") == (path != "/")


@pytest.mark.parametrize(
    "origin", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_a_page_of_another_site_cannot_ask(api: Api, origin: dict[str, str]) -> None:
    assert api.ask("POST", "/api/v1/assess", NOTE, headers=origin).status == 403
    assert api.desk.seen == []


def test_the_desks_own_page_could_ask(api: Api) -> None:
    headers = {"Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-origin"}
    assert api.ask("POST", "/api/v1/assess", NOTE, headers=headers).status == 200


def test_a_sane_request_id_is_taken_over_and_another_is_not(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    assert (
        api.ask("GET", "/healthz", headers={"X-Request-ID": "ward-7.2026_01"}).headers["x-request-id"]
        == "ward-7.2026_01"
    )
    for strange in ("short", "a b c d e f g h", "x" * 65, "ok-but\tno", "<script>alert"):
        assert len(api.ask("GET", "/healthz", headers={"X-Request-ID": strange}).headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/api/v1/assess", "/cds-services/triage-desk", "/api/v1/jobs"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(api: Api, path: str) -> None:
    answer = api.ask("POST", path, b"", headers={"Content-Length": str(10**10)})
    assert (answer.status, answer.json()["type"]) == (413, "urn:triage-desk:problem:too-large")


def test_a_body_without_a_length_is_counted(api: Api) -> None:
    assert api.ask("POST", "/api/v1/assess", [b" " * (1 << 20)] * 5).status == 413


def test_a_body_that_does_not_come_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.door.SILENCE", 0.05)
    import asyncio

    from tests.app.api.asking import asked

    async def silent() -> int:
        async def app(scope: object, receive: object, send: object) -> None:
            await api.app(scope, never, send)  # type: ignore[arg-type]

        async def never() -> dict[str, object]:
            await asyncio.sleep(30)
            return {}

        return (await asked(app, "POST", "/api/v1/assess", b"x" * 10)).status  # type: ignore[arg-type]

    assert asyncio.run(silent()) == 408


@pytest.mark.parametrize(
    "id_", ["..", "../../records.sqlite", "%2e%2e%2f", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "\x00", "*", "。" * 32]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_id_leads_out_of_the_folder(api: Api, id_: str, method: str) -> None:
    assert api.ask(method, f"/api/v1/jobs/{id_}").status in (404, 405)


def test_no_words_of_a_note_stand_in_an_error_or_in_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bodies: list[bytes] = [
        json.dumps({"text": CANARY, "age": 131}).encode(),
        json.dumps({"text": CANARY, CANARY: 1}).encode(),
        json.dumps({"text": [CANARY]}).encode(),
        json.dumps({"text": "ok", "sex": CANARY}).encode(),
        json.dumps([CANARY]).encode(),
        f'{{"text": "{CANARY}'.encode(),
        CANARY.encode(),
        json.dumps({"notes": [{"text": CANARY * 5000}]}).encode(),
        json.dumps({"resourceType": CANARY, "payload": CANARY, "hook": CANARY}).encode(),
    ]
    said = []
    for path in ("/api/v1/assess", "/api/v1/fhir/assess", "/cds-services/triage-desk", f"/api/{CANARY}"):
        said += [api.ask("POST", path, body) for body in bodies]
    for failure in (EndpointUnavailable("http://10.0.0.1/v1 is away"), ValueError(CANARY)):
        api.desk.fails = failure
        said.append(api.ask("POST", "/api/v1/assess", {"text": f"胸口压着痛半小时，出冷汗 {CANARY}"}))
    assert all(answer.status >= 400 for answer in said)
    assert not [answer.body for answer in said if CANARY.encode() in answer.body or b"10.0.0.1" in answer.body]
    assert CANARY not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_failure_of_the_endpoint_tells_the_red_flags_without_words(api: Api) -> None:
    api.desk.fails = EndpointUnavailable("away")
    answer = api.ask("POST", "/api/v1/assess", {"text": "crushing chest pain for half an hour, sweating"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    hits = answer.json()["red_flags"][0]
    assert min(hit["acuity"] for hit in hits) <= 2
    assert all(set(hit) == {"id", "acuity", "source"} for hit in hits)


def test_a_key_may_send_so_many_notes_and_another_key_as_many(api_with: Callable[..., Api]) -> None:
    api = api_with(api_notes_per_minute=3)
    first, second = api.key("first"), api.key("second")
    assert [api.ask("POST", "/api/v1/assess", NOTE, key=first).status for _ in range(4)] == [200, 200, 200, 429]
    refused = api.ask("POST", "/api/v1/assess", NOTE, key=first)
    assert refused.json()["type"] == "urn:triage-desk:problem:rate"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert api.ask("POST", "/api/v1/assess", {"notes": [NOTE] * 3}, key=second).status == 200
    assert api.ask("POST", "/api/v1/assess", {"notes": [NOTE] * 4}, key=second).status == 422


def test_tables_are_counted_before_they_are_read(api_with: Callable[..., Api]) -> None:
    api = api_with(api_jobs_per_hour=1)
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    key = api.key()
    assert api.ask("POST", "/api/v1/jobs", b"--b--\r\n", key=key, headers=form).status == 422
    assert api.ask("POST", "/api/v1/jobs", [b"x"], key=key, headers=form).status == 429
