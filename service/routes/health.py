"""GET /health/live and /health/ready."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.state import state_of
from service.web.openapi import PROBLEMS, problem
from service.web.response_schemas import Health
from service.web.responses import json_response
from service.web.routing import DirectRoute

router = APIRouter(tags=["health"], responses=PROBLEMS, route_class=DirectRoute)


@router.get("/health/live", response_model=Health)
async def live(request: Request) -> Response:
    """The process answers."""
    return json_response(Health(status="live"))


@router.get(
    "/health/ready",
    response_model=Health,
    responses={503: problem("Models are being loaded, or the service ends")},
)
async def ready(request: Request) -> Response:
    """Every model has reproduced its golden vectors on the execution provider in use, and the service is not ending."""
    state_of(request).check_ready()
    return json_response(Health(status="ready"))
