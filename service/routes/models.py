"""GET /models and /models/{model}."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.context import current_request
from service.inference.model import Model
from service.state import state_of
from service.web.openapi import PROBLEMS
from service.web.request_schemas import NoQuery
from service.web.response_schemas import AttributeInfo, ImageInfo, ModelInfo, ModelList
from service.web.responses import json_response
from service.web.routing import DirectRoute

router = APIRouter(tags=["models"], responses=PROBLEMS, route_class=DirectRoute)


@router.get("/models", response_model=ModelList)
async def list_models(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
    """The models that are served."""
    repository = state_of(request).repository
    served = [describe(engine.model) for engine in repository.engines.values()]
    return json_response(ModelList(default=repository.default, models=served))


@router.get("/models/{model}", response_model=ModelInfo)
async def get_model(request: Request, model: str, query: Annotated[NoQuery, Query()]) -> Response:
    """One model: its attributes, image size, digest, scores, and the execution provider really in use."""
    found = state_of(request).repository.engine(model).model
    current_request.get().model_headers = found.headers
    return json_response(describe(found))


def describe(model: Model) -> ModelInfo:
    """What a client needs to know of a model."""
    manifest = model.manifest
    mixing = {part.attribute: part.mixing for part in manifest.latents}
    return ModelInfo(
        name=manifest.name,
        digest=manifest.digest,
        system=manifest.system,
        provider=model.provider,
        image=ImageInfo(**manifest.image.model_dump()),
        latent_length=manifest.latent_length,
        conditions=list(manifest.conditions),
        group=manifest.group.attribute if manifest.group else None,
        attributes=[
            AttributeInfo(
                name=a.name,
                kind=a.kind,
                size=a.size,
                labels=list(a.labels),
                period=a.period,
                unit=a.unit,
                range=a.bounds,
                limits=a.extremes if a.kind == "continuous" else None,
                default=a.default,
                mixing=mixing.get(a.name, "linear"),
                accepts=a.accepted,
            )
            for a in manifest.attributes
        ],
        scores=manifest.scores.model_dump(),
    )
