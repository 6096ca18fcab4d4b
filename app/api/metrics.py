"""`GET /metrics`: what Prometheus reads. No label holds a person, a key's name or a note's text."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response
from streamlit import runtime

from app.api.guard import GuardedRoute, needs
from app.api.names import METRICS
from app.api.work import Services
from core.telemetry.live import Live

ACTIVE_SESSIONS = "active_sessions"  # Streamlit's name for them
router = APIRouter(route_class=GuardedRoute, tags=["Health"])


@router.get(
    METRICS,
    summary="Figures for Prometheus",
    operation_id="metrics",
    responses={
        200: {
            "description": "Prometheus' text, or OpenMetrics where `Accept` asks for it.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=needs("metrics"),
    response_class=Response,
    response_model=None,
)
async def metrics(request: Request) -> Response:
    """Counts since the start, of tables since the desk was installed, and how things stand now."""
    found = live(request.app.state.services)
    content, media_type = await asyncio.to_thread(found.text, request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": media_type})


def live(services: Services) -> Live:
    """What this server tells."""
    return Live(
        services.settings.data_dir,
        {
            "triage_queue_notes": ("Notes of programs that wait for their turn.", lambda: services.turns.waiting),
            "triage_under_way": (
                "Notes and requests that are not finished, this one left out.",
                lambda: services.stopping.under_way - 1,
            ),
            "triage_sessions": ("Pages open in browsers.", open_sessions),
        },
    )


def open_sessions() -> int:
    """How many browser pages are connected; 0 where this process shows none."""
    if not runtime.exists():
        return 0
    found = runtime.get_instance().stats_mgr.get_stats([ACTIVE_SESSIONS])
    return sum(int(getattr(stat, "value", 0)) for stat in found.get(ACTIVE_SESSIONS, ()))
