"""FHIR R4: a note out of a `Communication` or `QuestionnaireResponse`, and an assessment as a `RiskAssessment`.

Source: https://hl7.org/fhir/R4/, pages communication, questionnaireresponse, riskassessment, operationoutcome.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from core.errors import NoteError
from core.model.scheme import AcuityScheme, scheme_in_use
from core.notes import Assessment, Note, RankedLabel, Sex
from core.wording import Wording

ACUITY_SYSTEM = "urn:triage-desk:codesystem:acuity"  # the five levels, 1 the most urgent
LABEL_SYSTEM = "urn:triage-desk:codesystem"  # + ":" + task
DECIDED = "urn:triage-desk:extension:acuity-decided"
METHOD_SYSTEM = "urn:triage-desk:codesystem:method"
PROBABILITY_DIGITS = 4
DEEPEST = 20  # levels of items within items
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_SEXES: Mapping[object, Sex] = {"female": "female", "male": "male"}


class ResourceError(NoteError):
    """A resource holds no note that can be read; the message says what is expected, not what stood there."""


def note_of(resource: Mapping[str, Any], today: date | None = None) -> Note:
    """The note in a `Communication` or `QuestionnaireResponse`, with age and sex of a contained `Patient`, if any.

    Raises:
        ResourceError: another resource, or one without text.
    """
    kind = resource.get("resourceType")
    if kind == "Communication":
        text = "\n".join(_payloads(resource))
    elif kind == "QuestionnaireResponse":
        text = "\n".join(_answers(resource.get("item"), DEEPEST))
    else:
        raise ResourceError("Expected a resource of the type Communication or QuestionnaireResponse.")
    if not text.strip():
        raise ResourceError(
            "The Communication has no payload with a contentString."
            if kind == "Communication"
            else "The QuestionnaireResponse has no answer with a valueString."
        )
    age, sex = _patient(resource.get("contained"), today or datetime.now(UTC).date())
    return Note(text, age, sex)


def reference_of(resource: Mapping[str, Any]) -> str | None:
    """How another resource refers to this one (`Communication/17`); none without an id of the allowed form."""
    kind, id_ = resource.get("resourceType"), resource.get("id")
    return f"{kind}/{id_}" if isinstance(id_, str) and _ID.fullmatch(id_) else None


def risk_assessment(
    found: Assessment, *, subject: Mapping[str, Any] | None, basis: str | None, at: datetime | None = None
) -> dict[str, Any]:
    """The assessment as a preliminary `RiskAssessment`.

    Acuity stands in `prediction`, each level with its probability. The level decided, after red flags, has a rationale
    there, and stands in an extension and first among the notes. Red flags and reasons for a person to decide are notes.

    Args:
        found: the answer.
        subject: the reference to the patient, as it came.
        basis: the reference to the resource that was read.
        at: when it was assessed.
    """
    scheme, model = scheme_in_use(), found.model
    acuity = found.tasks.get("acuity")
    predictions: list[dict[str, Any]] = []
    resource: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "status": "preliminary",
        "method": {
            "coding": [{"system": METHOD_SYSTEM, "code": model.bundle, "version": model.version}],
            "text": f"Triage desk, {model.bundle} {model.version}. It advises; a person decides.",
        },
        "code": {"text": "Triage acuity, department and condition"},
        "subject": _reference(subject) or {"display": "unknown"},
        "occurrenceDateTime": (at or datetime.now(UTC)).isoformat(timespec="seconds"),
        "note": [{"text": text} for text in notes_of(found)],
    }
    if basis:
        resource["basis"] = [{"reference": basis}]
    if acuity:
        resource["extension"] = [{"url": DECIDED, "valueCodeableConcept": _acuity(acuity.label, scheme)}]
        predictions += [
            {
                "outcome": _acuity(rank.label, scheme),
                "probabilityDecimal": round(rank.probability, PROBABILITY_DIGITS),
                **({"rationale": "The level decided, after red flags."} if rank.label == acuity.label else {}),
            }
            for rank in acuity.ranked
        ]
    predictions += [_labelled(task, answer.ranked) for task, answer in found.tasks.items() if task != "acuity"]
    return resource | ({"prediction": predictions} if predictions else {})


def notes_of(found: Assessment) -> list[str]:
    """What a person should read: the level, the red flags and why a person must decide."""
    words = Wording("en")
    lines = []
    if acuity := found.tasks.get("acuity"):
        raised = " (raised by a red flag)" if acuity.floor is not None and str(acuity.floor) == acuity.label else ""
        lines.append(f"Acuity: {words.label('acuity', acuity.label)}{raised}")
    lines += [
        f"Red flag: {words.red_flag(hit.id)} (at least level {hit.acuity}; {hit.source})" for hit in found.red_flags
    ]
    lines += [f"A person must decide: {words.reason(reason)}" for reason in found.reasons]
    lines += [words.warning(code) for code in found.warnings]
    return lines


def _acuity(label: str, scheme: AcuityScheme) -> dict[str, Any]:
    """One level, coded and in the words of the site's scheme."""
    level = scheme.level(label)
    display = scheme.names["en"][level.level - 1] if level else label
    coding = {"system": ACUITY_SYSTEM, "code": label, "display": display}
    return {"coding": [coding], "text": scheme.shown(label, "en")}


def operation_outcome(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem (RFC 9457) as an `OperationOutcome`."""
    codes = {400: "structure", 401: "login", 403: "forbidden", 404: "not-found", 413: "too-long", 422: "invalid",
             429: "throttled", 503: "transient", 504: "timeout"}  # fmt: skip
    code = codes.get(problem["status"], "exception" if problem["status"] >= 500 else "processing")
    issues = [{"severity": "error", "code": code, "diagnostics": problem["detail"]}]
    issues += [
        {"severity": "error", "code": code, "diagnostics": f"{each['at']} {each['problem']}"}
        for each in problem.get("errors", ())
    ]
    issues += [
        {
            "severity": "warning",
            "code": "informational",
            "diagnostics": f"Red flag: {Wording('en').red_flag(hit['id'])}",
        }
        for hits in problem.get("red_flags", ())
        for hit in hits or ()
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _labelled(task: str, ranked: Sequence[RankedLabel]) -> dict[str, Any]:
    """The likeliest label of another task."""
    first = ranked[0]
    name = Wording("en").label(task, first.label)
    return {
        "outcome": {
            "coding": [{"system": f"{LABEL_SYSTEM}:{task}", "code": first.label, "display": name}],
            "text": f"{Wording('en').task(task)}: {name}",
        },
        "probabilityDecimal": round(first.probability, PROBABILITY_DIGITS),
    }


def _payloads(resource: Mapping[str, Any]) -> Iterator[str]:
    for payload in _objects(resource.get("payload")):
        if isinstance(words := payload.get("contentString"), str):
            yield words


def _answers(items: object, depth: int) -> Iterator[str]:
    """Question and answer, a line each; also those that stand under others."""
    for item in _objects(items) if depth else ():
        question = item.get("text") if isinstance(item.get("text"), str) else ""
        for reply in _objects(item.get("answer")):
            if isinstance(words := reply.get("valueString"), str) and words.strip():
                yield f"{question} {words}".strip()
            yield from _answers(reply.get("item"), depth - 1)
        yield from _answers(item.get("item"), depth - 1)


def _patient(contained: object, today: date) -> tuple[float | None, Sex | None]:
    for each in _objects(contained):
        if each.get("resourceType") == "Patient":
            gender = each.get("gender")
            return _age(each.get("birthDate"), today), _SEXES.get(gender) if isinstance(gender, str) else None
    return None, None


def _age(born: object, today: date) -> float | None:
    """Years since a birth date that has its day; none where that is no age."""
    try:
        day = date.fromisoformat(born) if isinstance(born, str) else None
    except ValueError:
        return None
    if day is None:
        return None
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return float(years) if 0 <= years <= 130 else None


def _objects(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _reference(subject: object) -> dict[str, str] | None:
    """The reference alone: what else stands there (a name) is not repeated."""
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str) or not 0 < len(reference) <= 500 or not all(" " < c < "\x7f" for c in reference):
        return None
    return {"reference": reference}
