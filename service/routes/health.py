"""GET /health/live and /health/ready."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from service.problems import Problem
from service.web.openapi import PROBLEMS
from service.web.schemas import Health, NoQuery

router = APIRouter(tags=["health"], responses=PROBLEMS)


@router.get("/health/live")
async def live(query: Annotated[NoQuery, Query()]) -> Health:
    """The process answers."""
    return Health(status="live")


@router.get("/health/ready", responses={503: {"description": "Models are being loaded, or the service ends"}})
async def ready(request: Request, query: Annotated[NoQuery, Query()]) -> Health:
    """Every model has reproduced its golden vectors on the execution provider in use, and the service is not ending."""
    state = request.app.state
    if state.draining:
        raise Problem(503, "the service ends", headers={"Retry-After": "1"})
    for name, engine in state.store.engines.items():
        if not engine.scheduler.alive:
            raise Problem(503, f"a thread of {name} has died", headers={"Retry-After": "1"})
    return Health(status="ready")
