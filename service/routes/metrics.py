"""GET /metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from service.observability.metrics import exposition
from service.threads import in_thread
from service.web.openapi import PROBLEMS, TEXT
from service.web.request_schemas import NoQuery
from service.web.routing import DirectRoute

router = APIRouter(tags=["health"], responses=PROBLEMS, route_class=DirectRoute)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": TEXT}}}})
async def metrics(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
    """What the service does, for Prometheus; all worker processes together."""
    return Response(await in_thread(exposition), media_type=CONTENT_TYPE_LATEST)
