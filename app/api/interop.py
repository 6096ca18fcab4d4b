"""The desk for record systems: FHIR R4 under `/api/v1/fhir`, CDS Hooks under `/cds-services`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse

from app.api.guard import GuardedRoute, needs
from app.api.models import LONGEST_NOTE, HookIn
from app.api.names import CDS, FHIR, FHIR_JSON
from app.api.problems import Problem
from app.api.work import Services
from core.errors import TriageError
from core.interop import cds_hooks
from core.interop.fhir import ResourceError, note_of, reference_of, risk_assessment
from core.notes import Assessment, Note

router = APIRouter(route_class=GuardedRoute, tags=["Record systems"])


@router.post(
    f"{FHIR}/assess",
    summary="A Communication or QuestionnaireResponse in, a RiskAssessment out (FHIR R4)",
    operation_id="fhir_assess",
    responses={200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}}},
    openapi_extra=needs("fhir"),
    response_model=None,
)
async def fhir_assess(
    request: Request,
    resource: Annotated[
        dict[str, Any],
        Body(
            examples=[
                {
                    "resourceType": "Communication",
                    "status": "completed",
                    "payload": [{"contentString": "胸口压着痛半小时"}],
                }
            ]
        ),
    ],
) -> JSONResponse:
    """Errors are an OperationOutcome. Age and sex come from a contained Patient, where there is one."""
    try:
        note = note_of(resource)
    except ResourceError as error:
        raise Problem(422, "resource", str(error)) from None
    found = await _assessed(request, note)
    subject = resource.get("subject")
    answer = risk_assessment(
        found, subject=subject if isinstance(subject, dict) else None, basis=reference_of(resource)
    )
    return JSONResponse(answer, media_type=FHIR_JSON)


@router.get(
    CDS,
    summary="What the desk offers (CDS Hooks 2.0)",
    operation_id="cds_services",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    openapi_extra=needs("fhir"),
    response_model=None,
)
async def cds_services() -> JSONResponse:
    """One service, for the hook patient-view."""
    return JSONResponse(cds_hooks.services())


@router.post(
    f"{CDS}/{cds_hooks.SERVICE}",
    summary="A card for the patient who is looked at (CDS Hooks 2.0)",
    operation_id="cds_card",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    openapi_extra=needs("fhir"),
    response_model=None,
)
async def cds_card(request: Request, body: Annotated[HookIn, Body()]) -> JSONResponse:
    """No card where nothing with text was prefetched."""
    if body.prefetch is None:
        raise Problem(
            412, "prefetch", "This service reads only what is prefetched. Send prefetch as /cds-services says."
        )
    note = cds_hooks.note_in(body.prefetch)
    if note is None:
        return JSONResponse({"cards": []})
    return JSONResponse(cds_hooks.cards(await _assessed(request, note)))


async def _assessed(request: Request, note: Note) -> Assessment:
    """The note's assessment.

    Raises:
        Problem: it is too long.
        TriageError: there is none.
    """
    if len(note.text) > LONGEST_NOTE:
        raise Problem(422, "too-long", f"The text is longer than {LONGEST_NOTE} characters.")
    services: Services = request.app.state.services
    found = (await services.assess(request, request.state.principal, [note]))[0]
    if isinstance(found, TriageError):
        raise found
    return found
