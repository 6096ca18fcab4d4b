"""Notes in, assessments out: their form, their order, who gets a turn, and what a client costs that hangs up."""

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import EndpointTimeout
from core.settings import Settings
from tests.app.answering import MemoryRecords, assessment
from tests.app.api.conftest import Api, HandDesk, api_over

NOTE = {"text": "咽痛两天", "age": 40, "sex": "female"}


def test_one_note_gives_what_the_command_gives(api: Api) -> None:
    answer = api.ask("POST", "/api/v1/assess", NOTE)
    assert (answer.status, answer.json()) == (200, assessment().as_dict())
    seen = api.desk.seen[0][0]
    assert (seen.text, seen.age, seen.sex) == ("咽痛两天", 40, "female")


def test_what_it_rests_on_comes_where_it_is_asked_for(api: Api) -> None:
    assert "why" not in api.ask("POST", "/api/v1/assess?why=false", NOTE).json()
    assert api.ask("POST", "/api/v1/assess?why=true", NOTE).json()["why"] is not None
    assert api.ask("POST", "/api/v1/assess?why=perhaps", NOTE).status == 422
    assert api.ask("POST", "/api/v1/assess?why=true", {"notes": [NOTE]}).status == 422


def test_several_notes_keep_their_order_and_one_without_words_costs_no_other(api: Api) -> None:
    found = api.ask("POST", "/api/v1/assess", {"notes": [NOTE, {"text": "…"}, NOTE]}).json()["assessments"]
    assert [set(each) & {"tasks", "error"} for each in found] == [{"tasks"}, {"error"}, {"tasks"}]
    assert found[1]["error"]["status"] == 422
    assert api.ask("POST", "/api/v1/assess", {"text": "…"}).status == 422


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "body.text"),
        ({"text": ""}, "body.text"),
        ({"text": "a" * 50_001}, "body.text"),
        ({"text": 1}, "body.text"),
        ({"text": "a", "age": -1}, "body.age"),
        ({"text": "a", "age": 130.5}, "body.age"),
        ({"text": "a", "age": "40"}, "body.age"),
        ({"text": "a", "age": True}, "body.age"),
        ({"text": "a", "sex": "other"}, "body.sex"),
        ({"text": "a", "name": "Li"}, "body.(unknown)"),
        ({"notes": []}, "body.notes"),
        ({"notes": [{"text": "a"}] * 257}, "body.notes"),
        ({"notes": [{"text": "a"}], "text": "b"}, "body.text"),
        ({"notes": [{"text": "a"}, {"text": "a", "age": 131}]}, "body.notes.1.age"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_by_its_place(api: Api, body: dict[str, object], at: str) -> None:
    answer = api.ask("POST", "/api/v1/assess", body)
    assert answer.status == 422
    assert [each["at"] for each in answer.json()["errors"]] == [at]
    assert api.desk.seen == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_called_json_is_none(api: Api, kind: str) -> None:
    answer = api.ask("POST", "/api/v1/assess", json.dumps(NOTE).encode(), headers={"Content-Type": kind})
    assert answer.status == 422


def test_an_answer_is_recorded_under_the_keys_name(api: Api) -> None:
    key = api.key("ward-7")
    api.ask("POST", "/api/v1/assess", {"notes": [NOTE, NOTE]}, key=key)
    assert [(person, len(name)) for _, person, name in api.records.added] == [("ward-7", 64)] * 2


def test_an_answer_that_cannot_be_recorded_says_so(api: Api) -> None:
    api.records.fails = True
    assert api.ask("POST", "/api/v1/assess", NOTE).json()["warnings"] == ["not_recorded"]


def test_an_endpoint_that_is_late_is_a_504(api: Api) -> None:
    api.desk.fails = EndpointTimeout("late")
    assert api.ask("POST", "/api/v1/assess", NOTE).status == 504


def test_a_client_that_hangs_up_costs_no_more_than_what_has_begun(api: Api) -> None:
    async def scene() -> None:
        api.desk.may_go.clear()
        gone = asyncio.Event()
        first = asyncio.ensure_future(api.asking("POST", "/api/v1/assess", {"notes": [NOTE] * 256}, hang_up=gone))
        while not api.desk.seen:
            await asyncio.sleep(0.01)
        begun = sum(map(len, api.desk.seen))
        gone.set()
        await first
        api.desk.may_go.set()
        await asyncio.sleep(0.2)
        assert sum(map(len, api.desk.seen)) == begun < 256
        assert (await api.asking("POST", "/api/v1/assess", NOTE)).status == 200
        assert api.services.turns.waiting == 0

    asyncio.run(scene())


def test_a_note_whose_turn_does_not_come_in_time_is_told_so(api_with: Callable[..., Api]) -> None:
    api = api_with(embedding_timeout=0.2, api_notes_per_minute=10_000)

    async def scene() -> None:
        api.desk.may_go.clear()
        held = [asyncio.ensure_future(api.asking("POST", "/api/v1/assess", {"notes": [NOTE] * 64})) for _ in range(4)]
        await asyncio.sleep(0.1)
        late = await api.asking("POST", "/api/v1/assess", NOTE)
        assert late.status == 504
        api.desk.may_go.set()
        await asyncio.gather(*held)

    asyncio.run(scene())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["text", "age", "sex", "notes", "payload", "resourceType", "item", "answer",
                                       "prefetch", "communication", "hook", "hookInstance", "context", "contained",
                                       "valueString", "contentString", "subject", "id"]) | st.text(),
                      inner, max_size=6),
    max_leaves=12,
)  # fmt: skip
RESOURCES = st.builds(
    lambda kind, rest: {"resourceType": kind} | rest,
    st.sampled_from(["Communication", "QuestionnaireResponse"]),
    st.fixed_dictionaries(
        {},
        optional={"payload": JSON, "item": JSON, "subject": JSON, "id": JSON, "contained": st.lists(JSON, max_size=2)},
    ),
)
HOOKS = st.builds(
    lambda rest: {"hook": "patient-view", "hookInstance": "1", "context": {}} | rest,
    st.fixed_dictionaries({}, optional={"prefetch": st.dictionaries(
        st.sampled_from(["communication", "questionnaireResponse", "patient"]), JSON | RESOURCES)}),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    RESOURCES.map(lambda value: json.dumps(value).encode()),
    HOOKS.map(lambda value: json.dumps(value).encode()),
    st.integers(1, 100_000).map(lambda depth: b"[" * depth),
    st.integers(1, 5000).map(lambda digits: b'{"text":"a","age":' + b"9" * digits + b"}"),
)
PATHS = ("/api/v1/assess", "/api/v1/fhir/assess", "/cds-services/triage-desk", "/api/v1/jobs")
KINDS = ("application/json", "application/fhir+json", "multipart/form-data; boundary=b", "text/plain", "//", "")


@pytest.fixture(scope="module")
def one_api(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("bodies")
    unbounded = Settings(data_dir=folder, _env_file=None, api_notes_per_minute=1_000_000, api_jobs_per_hour=10_000)
    with api_over(unbounded, HandDesk(), MemoryRecords()) as opened:
        with asyncio.Runner() as runner:
            yield opened, runner


@pytest.mark.slow
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(body=BODIES, path=st.sampled_from(PATHS), kind=st.sampled_from(KINDS), seed=st.integers())
def test_no_body_brings_it_down(
    one_api: tuple[Api, asyncio.Runner], body: bytes, path: str, kind: str, seed: int
) -> None:
    api, runner = one_api
    if random.Random(seed).random() < 0.7 and path != "/api/v1/jobs":
        kind = "application/json"
    answer = runner.run(api.asking("POST", path, body, headers={"Content-Type": kind}))
    assert answer.status < 500
    assert b"Traceback" not in answer.body
    assert answer.headers["content-type"].split(";")[0] in (
        "application/json", "application/problem+json", "application/fhir+json"
    )  # fmt: skip
    json.loads(answer.body)


def test_the_data_folder_is_not_littered(api: Api) -> None:
    api.ask("POST", "/api/v1/assess", NOTE)
    kept = {path.name for path in Path(api.services.settings.data_dir).rglob("*") if path.is_file()}
    assert kept <= {"cache-secret"}
