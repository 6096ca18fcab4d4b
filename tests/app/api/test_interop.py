"""FHIR R4 and CDS Hooks, checked against published models: `fhir.resources` and the standard's card."""

from typing import Any

import jsonschema
import pytest
from fhir.resources.R4B.communication import Communication
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.riskassessment import RiskAssessment

from core.errors import EndpointUnavailable
from core.interop.fhir import ACUITY_SYSTEM
from tests.app.api.conftest import Api

MESSAGE = {
    "resourceType": "Communication",
    "id": "c-17",
    "status": "completed",
    "subject": {"reference": "Patient/7", "display": "Li Wei"},
    "contained": [{"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1950-01-02"}],
    "payload": [{"contentString": "胸口压着痛半小时"}, {"contentString": "出冷汗"}],
}
QUESTIONS = {
    "resourceType": "QuestionnaireResponse",
    "id": "q1",
    "status": "completed",
    "item": [
        {"linkId": "1", "text": "What is wrong?", "answer": [{"valueString": "chest pain"}]},
        {"linkId": "2", "text": "History", "item": [
            {"linkId": "2.1", "text": "Since when?",
             "answer": [{"valueString": "half an hour"}, {"valueBoolean": True}]}
        ]},
    ],
}  # fmt: skip
# CDS Hooks 2.0, "CDS Service Response".
CARDS = {
    "type": "object",
    "required": ["cards"],
    "additionalProperties": False,
    "properties": {
        "cards": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["summary", "indicator", "source"],
                "additionalProperties": False,
                "properties": {
                    "uuid": {"type": "string", "format": "uuid"},
                    "summary": {"type": "string", "minLength": 1, "maxLength": 139},
                    "detail": {"type": "string"},
                    "indicator": {"enum": ["info", "warning", "critical"]},
                    "source": {
                        "type": "object",
                        "required": ["label"],
                        "additionalProperties": False,
                        "properties": {name: {"type": "string"} for name in ("label", "url", "icon")},
                    },
                },
            },
        }
    },
}
SERVICES = {
    "type": "object",
    "required": ["services"],
    "properties": {
        "services": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["hook", "id", "description"],
                "properties": {name: {"type": "string"} for name in ("hook", "id", "title", "description")}
                | {"prefetch": {"type": "object", "additionalProperties": {"type": "string"}}},
            },
        }
    },
}


def post(api: Api, resource: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    answer = api.ask("POST", "/api/v1/fhir/assess", resource, headers={"Content-Type": "application/fhir+json"})
    return answer.status, answer.json(), answer.headers["content-type"]


@pytest.mark.parametrize("resource", [MESSAGE, QUESTIONS], ids=["message", "questions"])
def test_a_resource_gives_a_risk_assessment(api: Api, resource: dict[str, Any]) -> None:
    kind = Communication if resource is MESSAGE else QuestionnaireResponse
    kind.model_validate({name: value for name, value in resource.items() if name != "contained"})
    status, found, media = post(api, resource)
    assert (status, media) == (200, "application/fhir+json")
    checked = RiskAssessment.model_validate(found)
    assert checked.status == "preliminary"
    assert found["basis"] == [{"reference": f"{resource['resourceType']}/{resource['id']}"}]
    levels = [each for each in found["prediction"] if each["outcome"]["coding"][0]["system"] == ACUITY_SYSTEM]
    assert {each["outcome"]["coding"][0]["code"] for each in levels} == set("12345")
    assert sum(each["probabilityDecimal"] for each in levels) == pytest.approx(1, abs=0.01)
    assert [each["outcome"]["coding"][0]["code"] for each in levels if "rationale" in each] == ["2"]
    assert found["note"][0]["text"].startswith("Acuity: 2")


def test_text_age_and_sex_reach_the_desk_and_a_name_comes_not_back(api: Api) -> None:
    _, found, _ = post(api, MESSAGE)
    note = api.desk.seen[0][0]
    assert note.text == "胸口压着痛半小时\n出冷汗"
    assert note.sex == "male"
    assert note.age is not None and 75 < note.age < 100
    assert found["subject"] == {"reference": "Patient/7"}
    assert "Li Wei" not in str(found)
    post(api, QUESTIONS)
    assert api.desk.seen[1][0].text == "What is wrong? chest pain\nSince when? half an hour"


@pytest.mark.parametrize(
    ("resource", "status", "code"),
    [
        ({"resourceType": "Patient"}, 422, "invalid"),
        ({"resourceType": "Communication"}, 422, "invalid"),
        ({"resourceType": "QuestionnaireResponse", "item": [{"text": "?"}]}, 422, "invalid"),
        ({"resourceType": "Communication", "payload": [{"contentString": "a" * 50_001}]}, 422, "invalid"),
    ],
)
def test_an_error_is_an_operation_outcome(api: Api, resource: dict[str, Any], status: int, code: str) -> None:
    found_status, found, media = post(api, resource)
    assert (found_status, media) == (status, "application/fhir+json")
    OperationOutcome.model_validate(found)
    assert found["issue"][0]["code"] == code


def test_errors_before_the_body_and_of_the_endpoint_are_outcomes_too(api: Api) -> None:
    api.desk.fails = EndpointUnavailable("away")
    status, found, _ = post(api, MESSAGE)
    assert status == 503
    OperationOutcome.model_validate(found)
    assert [each for each in found["issue"] if each["diagnostics"].startswith("Red flag: ")]
    api.key()
    status, found, _ = post(api, MESSAGE)
    assert (status, found["issue"][0]["code"]) == (401, "login")
    OperationOutcome.model_validate(found)


def hook(api: Api, **parts: Any) -> Any:
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69",
        "context": {"patientId": "7", "userId": "Practitioner/1"},
    }
    return api.ask("POST", "/cds-services/triage-desk", body | parts)


def test_the_service_is_told_of(api: Api) -> None:
    found = api.ask("GET", "/cds-services").json()
    jsonschema.validate(found, SERVICES)
    assert found["services"][0]["hook"] == "patient-view"
    assert all("{{context.patientId}}" in query for query in found["services"][0]["prefetch"].values())


@pytest.mark.parametrize(
    "prefetch",
    [
        {"communication": MESSAGE},
        {"communication": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": MESSAGE}]}},
        {"communication": {"resourceType": "Bundle", "entry": []}, "questionnaireResponse": QUESTIONS},
        {"communication": None, "questionnaireResponse": QUESTIONS, "patient": {"resourceType": "Patient"}},
    ],
)
def test_a_message_gives_a_card(api: Api, prefetch: dict[str, Any]) -> None:
    found = hook(api, prefetch=prefetch)
    assert found.status == 200
    jsonschema.validate(found.json(), CARDS)
    card = found.json()["cards"][0]
    assert card["indicator"] == "critical"
    assert "A person decides" in card["detail"]


@pytest.mark.parametrize("prefetch", [{}, {"communication": None}, {"communication": {"resourceType": "Bundle"}}])
def test_without_a_message_there_is_no_card(api: Api, prefetch: dict[str, Any]) -> None:
    assert hook(api, prefetch=prefetch).json() == {"cards": []}
    assert api.desk.seen == []


def test_what_is_not_prefetched_is_asked_for(api: Api) -> None:
    assert hook(api).status == 412
    assert hook(api, hook="order-sign", prefetch={}).status == 422


def test_the_desk_is_asked_once_for_each_card(api: Api) -> None:
    hook(api, prefetch={"communication": MESSAGE, "questionnaireResponse": QUESTIONS})
    assert sum(map(len, api.desk.seen)) == 1
