"""The API as an application: its routes, its document, and how it stands beside the pages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api import assessing, health, interop, jobs, metrics, reading
from app.api.guard import Guard
from app.api.models import KNOWN, ProblemOut
from app.api.names import API, FHIR, FHIR_JSON, PROBLEM_JSON
from app.api.problems import answer_of
from app.api.work import Services
from app.stopping import Stopping
from core.access.allowance import Allowances
from core.access.keys import KeyStore
from core.readiness import ReadinessCheck
from core.records.records import Records
from core.settings import Settings
from core.telemetry.metrics import DESK
from core.triage import TriageDesk

# Errors that an operation may answer with, beside those of its own.
OPEN_ERRORS = (404, 405, 500)
GUARDED_ERRORS = (400, 401, 403, 404, 405, 408, 409, 412, 413, 422, 429, 500, 502, 503, 504)
DESCRIPTION = """Department, urgency and condition for a patient's message or clinical note, in Chinese or English.
It advises; a person decides.

Send a key as `Authorization: Bearer KEY` (`triage keys create`). Errors are `application/problem+json` and never hold a
note's text. Each answer has an `X-Request-ID`, which the server's log has too."""


def open_services(
    settings: Settings,
    desk: Callable[[], TriageDesk],
    records: Callable[[], Records],
    stopping: Stopping | None = None,
) -> Services:
    """What the routes need; nothing is connected to yet.

    Args:
        settings: in force.
        desk: gives the open desk, or opens it.
        records: gives the records.
        stopping: what else is under way in this process; none: nothing.
    """
    return Services(
        settings,
        desk,
        records,
        Guard(KeyStore(settings.data_dir)),
        stopping or Stopping(),
        Allowances(settings),
        ReadinessCheck(desk, records),
    )


def open_api(services: Services) -> FastAPI:
    """The API as an ASGI application."""
    api = FastAPI(
        title="Triage desk",
        version=_version(),
        description=DESCRIPTION,
        openapi_url=None,  # served here, with what FastAPI can't know
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.services = services
    DESK.info({"version": api.version})
    routers = (assessing, jobs, interop, health, metrics, reading)
    for router in (jobs.uploads, *(module.router for module in routers)):
        api.include_router(router)

    async def told(request: Request, error: Exception) -> Response:
        return answer_of(request, error, KNOWN)

    for kind in (RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, told)
    api.state.document = document(api)
    return api


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    found = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
    schemas = found["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.setdefault("ProblemOut", ProblemOut.model_json_schema())
    problem = {
        "description": "An error",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
    outcome = {"description": "An error", "content": {FHIR_JSON: {"schema": {"type": "object"}}}}
    found["components"] |= {
        "responses": {"Problem": problem, "OperationOutcome": outcome},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    for path, operations in found["paths"].items():
        name = "OperationOutcome" if path.startswith(FHIR) else "Problem"
        for operation in operations.values():
            errors = GUARDED_ERRORS if "security" in operation else OPEN_ERRORS
            for status in map(str, errors):
                if status == "422" or status not in operation["responses"]:
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return deepcopy(found)


def announce(services: Services) -> str | None:
    """What whoever starts the server must know: that the API answers this machine without a key, where it does."""
    if not services.guard.is_unlocked:
        return None
    return (
        f"No key was ever made: the API ({API}) answers any program on this machine without one. "
        "Make one: triage keys create NAME --scope assess"
    )


@asynccontextmanager
async def served(services: Services) -> AsyncIterator[None]:
    """While the server runs: a calm end on a signal, and what was opened is closed."""
    with services.stopping.on_signals():
        try:
            yield
        finally:
            services.close()


def _version() -> str:
    try:
        return version("triage-desk")
    except PackageNotFoundError:
        return "0"
