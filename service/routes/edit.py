"""POST /edit and /recombine: images made of images."""

from __future__ import annotations

import hashlib
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from service.answers import etag, images, select
from service.bodies import base64_source, read_json
from service.editing import edited
from service.engine import Engine
from service.errors import Problem
from service.groups import Outputs, recombined
from service.images_in import read_images
from service.images_out import APNG, GIF, JSON, NPY, PNG, WEBP, ZIP
from service.negotiation import choose
from service.routes.docs import body, files, json_body
from service.schemas import DecodeAnswer, EditBody, RecombineBody, SheetQuery
from service.settings import Settings
from service.values import Points
from training.codebook import Float32

router = APIRouter(tags=["images"])
FORMATS = (PNG, WEBP, GIF, APNG, NPY, ZIP, JSON)


@router.post("/edit", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(EditBody)))
async def edit(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Change attributes of an image, and keep all that they don't tell.

    `set` takes values as /decode does, `add` moves a position or value by so much.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, EditBody)
    outputs = await _encoded(engine, request, [given.image], "image")
    made = await to_thread.run_sync(edited, engine.model, outputs, given.to, given.by)
    return await _answer(engine, made, media, query)


@router.post("/recombine", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(RecombineBody)))
async def recombine(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Draw the class of one image, or of a group of them, in the style of another.

    For models that have both: a group (multi-level VAE), or conditions (conditional VAE).
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, RecombineBody)
    classes = await _encoded(engine, request, given.classes.listed, "class")
    style = await _encoded(engine, request, [given.style.image], "style.image")
    z = await to_thread.run_sync(recombined, engine.model, classes, style)
    return await _answer(engine, Points(z, None), media, query)


async def _encoded(engine: Engine, request: Request, encoded: list[str], where: str) -> Outputs:
    """The encoder's outputs of images in base64; raises Problem 400, 413 or 422."""
    settings: Settings = request.app.state.settings
    if len(encoded) > settings.max_items:
        raise Problem(413, f"{where}: {len(encoded)} images; accepts at most {settings.max_items}", where=where)

    def read() -> Float32:
        places = [where] if len(encoded) == 1 else [f"{where}.images[{index}]" for index in range(len(encoded))]
        sources = [base64_source(text, place) for text, place in zip(encoded, places, strict=True)]
        batch, _ = read_images(sources, engine.model.manifest.image, settings.max_items, settings.max_pixels)
        return batch

    batch = await to_thread.run_sync(read)
    if len(encoded) == 1 and len(batch) != 1:
        raise Problem(422, f"{where}: {len(batch)} frames; accepts one image", where=where)
    return await engine.encode(batch)


async def _answer(engine: Engine, made: Points, media: str, query: SheetQuery) -> Response:
    response = await images(engine, made, media, columns=query.columns, key="items")
    digest = hashlib.sha256(made.z.tobytes()).hexdigest()
    response.headers["ETag"] = etag(engine.model, media, digest, made.attributes, query.columns)
    return response
