"""POST /edit and /recombine: images made of images."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from attributes import Float32
from service.batching.scheduler import Columns
from service.codecs.decode import read_images
from service.codecs.encode import FORMATS
from service.inference.engine import Engine
from service.latent.editing import edited
from service.latent.groups import recombined
from service.latent.points import Points
from service.problems import Problem
from service.settings import Settings
from service.web.negotiation import choose
from service.web.openapi import body, files, json_body
from service.web.request_bodies import base64_source, read_json
from service.web.responses import etag_of_z, images, select
from service.web.schemas import DecodeAnswer, EditBody, RecombineBody, SheetQuery

router = APIRouter(tags=["images"])


@router.post("/edit", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(EditBody)))
async def edit(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Change attributes of an image, and keep all that they don't tell.

    `set` takes values as /decode does, `add` moves a position or value by so much: circular ones past their seam,
    others not past their ends. As JSON the answer says the values after the edit.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, EditBody)
    outputs = await _encoded(engine, request, {"image": given.image}, 1)
    made = await to_thread.run_sync(edited, engine.model, outputs, given.to, given.by)
    return await _answer(engine, made, media, query)


@router.post("/recombine", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(RecombineBody)))
async def recombine(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Draw the class of one image, or of a group of them, in the style of another.

    For models that have both: a group (multi-level VAE), or conditions (conditional VAE). Several images, or frames of
    one file in `images`, are one group.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, RecombineBody)
    several = {f"class.images[{index}]": text for index, text in enumerate(given.classes.images)}
    limit: int = request.app.state.settings.max_items if several else 1
    classes = await _encoded(engine, request, several or {"class.image": given.classes.image}, limit)
    style = await _encoded(engine, request, {"style.image": given.style.image}, 1)
    z = await to_thread.run_sync(recombined, engine.model, classes, style)
    return await _answer(engine, Points(z, None), media, query)


async def _encoded(engine: Engine, request: Request, files: dict[str, str], most: int) -> Columns:
    """The encoder's outputs of images in base64, each by its place in the request; raises Problem 400 or 413."""
    settings: Settings = request.app.state.settings
    if len(files) > most:
        raise Problem(413, f"class.images: {len(files)} of them; accepts at most {most}", where="class.images")

    def read() -> Float32:
        sources = [base64_source(text, where) for where, text in files.items()]
        batch, _ = read_images(sources, engine.model.manifest.image, most, settings.max_pixels)
        return batch

    return await engine.encode(await to_thread.run_sync(read))


async def _answer(engine: Engine, made: Points, media: str, query: SheetQuery) -> Response:
    response = await images(engine, made, media, columns=query.columns, key="items")
    response.headers["ETag"] = etag_of_z(engine.model, made, media, query.columns)
    return response
