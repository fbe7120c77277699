"""GET /models and /models/{model}."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from service.context import current
from service.inference.model import Model
from service.inference.repository import Store
from service.web.openapi import PROBLEMS
from service.web.schemas import AttributeInfo, ImageInfo, ModelInfo, ModelList, NoQuery

router = APIRouter(tags=["models"], responses=PROBLEMS)


@router.get("/models")
async def models(request: Request, query: Annotated[NoQuery, Query()]) -> ModelList:
    """The models that are served."""
    store: Store = request.app.state.store
    return ModelList(default=store.default, models=[describe(engine.model) for engine in store.engines.values()])


@router.get("/models/{model}")
async def model(request: Request, model: str, query: Annotated[NoQuery, Query()]) -> ModelInfo:
    """One model: its attributes, image size, digest, scores, and the execution provider really in use."""
    store: Store = request.app.state.store
    found = current.get().model = store.engine(model).model
    return describe(found)


def describe(model: Model) -> ModelInfo:
    """What the service tells of a model."""
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
