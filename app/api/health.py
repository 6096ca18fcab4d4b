"""Whether the server lives (`/healthz`) and whether it can answer (`/readyz`). Open to whoever reaches it."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.api.models import ReadyOut
from app.api.names import HEALTHZ, READYZ
from app.api.problems import AGAIN_ELSEWHERE
from app.api.work import Services

router = APIRouter(tags=["Health"])


@router.get(
    HEALTHZ,
    summary="Whether the process lives",
    operation_id="healthz",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    response_model=None,
)
async def healthz() -> JSONResponse:
    """Asks nothing of anybody."""
    return JSONResponse({"status": "alive"})


@router.get(
    READYZ,
    summary="Whether the desk can answer",
    operation_id="readyz",
    responses={200: {"model": ReadyOut}, 503: {"model": ReadyOut}},
    response_model=None,
)
async def readyz(request: Request) -> JSONResponse:
    """Bundle, endpoint and database, each by name; 503 where one is missing, or where the server is being stopped."""
    services: Services = request.app.state.services
    if services.stopping.is_stopping:
        return JSONResponse({"status": "stopping", "parts": {}}, 503, AGAIN_ELSEWHERE)
    found = await asyncio.to_thread(services.readiness.now)
    status = "ready" if found.is_ready else "not ready"
    return JSONResponse({"status": status, "parts": dict(found.parts)}, 200 if found.is_ready else 503)
