"""GET /health/live and /health/ready."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from service.routes.docs import PROBLEMS
from service.schemas import Health, NoQuery

router = APIRouter(tags=["health"], responses=PROBLEMS)


@router.get("/health/live")
async def live(query: Annotated[NoQuery, Query()]) -> Health:
    """The process answers."""
    return Health(status="live")


@router.get("/health/ready", responses={503: {"description": "Models are being loaded"}})
async def ready(request: Request, query: Annotated[NoQuery, Query()]) -> Health:
    """Every model that is served has reproduced its golden vectors on the execution provider in use."""
    _ = request.app.state.store.engines  # raises until they are loaded
    return Health(status="ready")
