"""`POST /api/v1/assess`: one note or several in, their assessments out."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic_core import to_json
from starlette.responses import JSONResponse

from app.api.guard import GuardedRoute, needs
from app.api.models import AssessIn, AssessmentOut, AssessmentsOut, NoteIn
from app.api.names import V1
from app.api.problems import Problem, problem_of
from app.api.work import Answer, Services
from core.errors import TriageError


class AnswerJSON(JSONResponse):
    """JSON of an answer with its hundred labels, for which the standard library takes four times as long."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - as the class above has it
        """The body."""
        return to_json(content)


router = APIRouter(route_class=GuardedRoute, tags=["Notes"])


@router.post(
    f"{V1}/assess",
    summary="Assess one note, or up to 256",
    operation_id="assess",
    responses={200: {"model": AssessmentOut | AssessmentsOut}},
    openapi_extra=needs("assess"),
    response_model=None,
)
async def assess(
    request: Request,
    body: Annotated[AssessIn, Body()],
    why: Annotated[bool, Query(description="Say what the answer rests on; for one note.")] = False,
) -> JSONResponse:
    """One note gives an assessment as `triage assess --json` does; `notes` gives `assessments` in their order.

    A note of several that has none, such as one without words, has an `error` in its place.
    """
    services: Services = request.app.state.services
    principal = request.state.principal
    if isinstance(body, NoteIn):
        note = body.note()
        found = (await services.assess(request, principal, [note]))[0]
        if isinstance(found, TriageError):
            raise found
        facts = found.as_dict()
        if why:
            reasons = await services.explain(request, principal, note)
            facts["why"] = reasons and reasons.as_dict()
        return AnswerJSON(facts)
    if why:
        raise Problem(422, "invalid", "The question why can be asked of one note at a time.")
    answers = await services.assess(request, principal, [each.note() for each in body.notes])
    return AnswerJSON({"assessments": list(map(_item, answers))})


def _item(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, TriageError):
        return {"error": problem_of(answer).as_dict()}
    return answer.as_dict()
