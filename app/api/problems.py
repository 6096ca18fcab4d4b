"""Every error that the API answers with, in one form: `application/problem+json` (RFC 9457).

An error says in English what happened and what to do, and never holds a note's text, a trace, an address of another
server or a path. Under `/api/v1/fhir` the same facts are an `OperationOutcome`.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.names import FHIR, FHIR_JSON, PROBLEM_JSON, request_id
from core.errors import (
    AccessError,
    BundleError,
    DeskBusy,
    DeskStopping,
    EndpointBusy,
    EndpointError,
    EndpointTimeout,
    EndpointUnavailable,
    NoteError,
    RecordsError,
    SettingsError,
    TableError,
    TriageError,
)
from core.interop.fhir import operation_outcome
from core.notes import RedFlagHit

AGAIN_SOON = {"Retry-After": "5"}  # seconds; after an outage
AGAIN_ELSEWHERE = {"Retry-After": "10", "Connection": "close"}  # until another server stands here, most likely
MOST_ERRORS = 20
TAGS = ("one", "several")  # which of the forms of a body the library took it for
log = logging.getLogger(__name__)


@dataclass
class Problem(Exception):
    """An answer that is an error.

    Attributes:
        status: the HTTP status.
        kind: its name, which stays the same between versions.
        detail: what happened and what to do.
        headers: to send with it.
        more: further members of the problem.
    """

    status: int
    kind: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The problem as JSON types."""
        return {
            "type": f"urn:triage-desk:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }


_NOT_AGAIN: Mapping[str, str] = {}
# What is said of the desk's own errors: status, name, sentence, headers.
_TOLD: tuple[tuple[type[TriageError], int, str, str, Mapping[str, str]], ...] = (
    (
        NoteError,
        422,
        "note-without-words",
        "The note has no words that can be read. It was not assessed.",
        _NOT_AGAIN,
    ),
    (
        EndpointTimeout,
        504,
        "endpoint-late",
        "The reading service gave no answer in time. Send the note again.",
        AGAIN_SOON,
    ),
    (EndpointBusy, 503, "endpoint-busy", "The reading service is busy. Send the note again.", AGAIN_SOON),
    (
        EndpointUnavailable,
        503,
        "endpoint-away",
        "The reading service does not answer. Triage by hand, or send the note again.",
        AGAIN_SOON,
    ),
    (
        EndpointError,
        502,
        "endpoint-failed",
        "The reading service gave an answer that can't be used. Triage by hand.",
        _NOT_AGAIN,
    ),
    (
        BundleError,
        503,
        "bundle",
        "The model can't be used. Triage by hand, and tell whoever runs the desk.",
        _NOT_AGAIN,
    ),
    (RecordsError, 503, "records", "The records can't be used now. Try again in a moment.", AGAIN_SOON),
    (AccessError, 503, "keys", "Keys can't be checked now, so nobody is let in. Try again in a moment.", AGAIN_SOON),
    (
        DeskBusy,
        503,
        "busy",
        "Too many notes are waiting. Nothing was assessed; send it again in a moment.",
        AGAIN_SOON,
    ),
    (
        DeskStopping,
        503,
        "stopping",
        "The desk is being stopped. Nothing was assessed; send it again in a moment.",
        AGAIN_ELSEWHERE,
    ),
    (SettingsError, 503, "setting", "A setting of the desk is wrong. Tell whoever runs the desk.", _NOT_AGAIN),
)


def problem_of(error: Exception) -> Problem:
    """What is said of an error; one that nobody foresaw gets a number, under which the log has its kind alone."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TableError):
        return Problem(422, "table", str(error))
    for kind, status, name, detail, headers in _TOLD:
        if isinstance(error, kind):
            if status >= 500 and kind is not DeskStopping:
                log.warning("api: %s: %s", type(error).__name__, error)
            return Problem(status, name, detail, headers)
    number = secrets.token_hex(3)
    log.error("api error %s: %s", number, type(error).__name__)
    return Problem(
        500,
        "unexpected",
        f"Something unexpected happened. Nothing was lost. Tell whoever runs the desk the number {number}.",
    )


def of_http(error: HTTPException) -> Problem:
    """What is said of an error that the web library raised; its own words are not taken over."""
    details = {
        400: ("malformed", "The body can't be read as what its Content-Type says."),
        404: ("not-found", "There is nothing here. See /api/docs."),
        405: ("method", "This address does not know that method. See /api/docs."),
        408: ("late", "The body did not come in time."),
        413: ("too-large", "The body is larger than this address takes. Nothing was read."),
    }
    kind, detail = details.get(error.status_code, ("refused", "The request was refused."))
    return Problem(error.status_code, kind, detail, error.headers or {})


def of_body(error: RequestValidationError, known: frozenset[str]) -> Problem:
    """What is wrong with a request: where and why, without what stands there.

    Args:
        error: from the models.
        known: names of fields that may be repeated; any other name came from outside and could be words of a note.
    """
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem(400, "malformed", "The body is no JSON.")
    wrong = [{"at": _place(each["loc"], known), "problem": _why(each)} for each in found[:MOST_ERRORS]]
    return Problem(422, "invalid", "The request has fields that can't be used.", more={"errors": wrong})


def with_flags(problem: Problem, flags: Sequence[Sequence[RedFlagHit] | None]) -> Problem:
    """The problem, and which red flags the rules find in each note; without the notes' words.

    Rules need neither model nor endpoint, so they answer when these don't.
    """
    told = [
        None if hits is None else [{"id": hit.id, "acuity": hit.acuity, "source": hit.source} for hit in hits]
        for hits in flags
    ]
    return Problem(problem.status, problem.kind, problem.detail, problem.headers, {**problem.more, "red_flags": told})


def answer(problem: Problem, path: str) -> Response:
    """The answer that tells of a problem, in the form that the address speaks."""
    facts = problem.as_dict() | {"request_id": request_id.get()}
    if path == FHIR or path.startswith(f"{FHIR}/"):
        found: Response = JSONResponse(operation_outcome(facts), problem.status, media_type=FHIR_JSON)
    else:
        found = JSONResponse(facts, problem.status, media_type=PROBLEM_JSON)
    headers = MutableHeaders(raw=found.raw_headers)
    for name, value in problem.headers.items():
        headers[name] = value
    return found


def answer_of(request: Request, error: Exception, known: frozenset[str]) -> Response:
    """The answer to any error of a route."""
    if isinstance(error, RequestValidationError):
        found = of_body(error, known)
    elif isinstance(error, HTTPException):
        found = of_http(error)
    else:
        found = problem_of(error)
    return answer(found, request.url.path)


def _place(steps: Sequence[str | int], known: frozenset[str]) -> str:
    """Where, as `body.notes.3.age`."""
    told = (str(step) if isinstance(step, int) or step in known else "(unknown)" for step in steps)
    return ".".join(each for each, step in zip(told, steps, strict=True) if step not in TAGS)


_WHY: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_type": "must be a string",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "string_unicode": "holds half of a character",
    "string_pattern_mismatch": "has another form",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "less_than_equal": "is too large",
    "greater_than_equal": "is too small",
    "literal_error": "is none of the values allowed",
    "enum": "is none of the values allowed",
    "too_long": "has too many items",
    "too_short": "has too few items",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "union_tag_not_found": "must be an object",
}


def _why(error: Mapping[str, Any]) -> str:
    """Why, in words of our own: those of the library can repeat what was sent."""
    return _WHY.get(str(error["type"]), "can't be used")
