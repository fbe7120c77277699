"""POST and GET /decode: attribute values, or z, to images."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from service.codecs.encode import FORMATS
from service.inference.engine import Engine
from service.inference.model import Model
from service.latent.points import Points, latent_points, parsed_points, points
from service.web.negotiation import choose
from service.web.openapi import body, files, json_body
from service.web.request_bodies import read_json
from service.web.responses import caching, etag_of_points, fresh, images, kept, select
from service.web.schemas import AttributesQuery, DecodeAnswer, DecodeBody, SheetQuery

router = APIRouter(tags=["images"])


@router.post("/decode", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(DecodeBody)))
async def decode(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Make images of attribute values, or of latent points.

    A number is a position on the attribute's axis, a string a label, a list explicit weights, an object as /encode
    gives it is read by its value. Several items give a sheet as PNG and an animation as WebP, GIF or APNG.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, DecodeBody)
    limit: int = request.app.state.settings.max_items
    made = await to_thread.run_sync(_points, engine.model, given, limit)
    return await _answer(request, engine, made, media, query.columns)


@router.get("/decode", responses={**files(DecodeAnswer, FORMATS), 304: {"description": "Not modified"}})
async def decode_one(request: Request, query: Annotated[AttributesQuery, Query()]) -> Response:
    """Make one image of attribute values given as query parameters, for `<img src>` and caches.

    `/decode?shape=heart&scale=5`: a label, a number, or weights with commas between them.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    made = parsed_points(engine.model, query.model_extra or {})
    tag = etag_of_points(engine.model, made, media, query.columns)
    headers = caching(request)
    if fresh(request, tag):
        return Response(status_code=304, headers={"ETag": tag, **headers})
    response = await _answer(request, engine, made, media, query.columns)
    response.headers.update(headers)
    return response


def _points(model: Model, given: DecodeBody, max_items: int) -> Points:
    if "z" in given.model_fields_set:
        return latent_points(model, given.z, max_items)
    return points(model, given.attributes, max_items)


async def _answer(request: Request, engine: Engine, made: Points, media: str, columns: int | None) -> Response:
    tag = etag_of_points(engine.model, made, media, columns)
    return await kept(request, tag, lambda: images(engine, made, media, columns=columns, key="items"))
