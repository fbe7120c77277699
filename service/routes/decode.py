"""POST and GET /decode: attribute values, or z, to images."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.codecs.encode import FORMATS
from service.inference.engine import Engine
from service.inference.model import Model
from service.latent.points import LatentPoints, points_of_attributes, points_of_query, points_of_z
from service.state import ServiceState, state_of
from service.threads import in_thread_if_long
from service.web.bytes_response import BytesResponse
from service.web.negotiation import negotiate
from service.web.openapi import body, files, json_body
from service.web.request_bodies import read_json
from service.web.request_schemas import AttributesQuery, DecodeBody, SheetQuery
from service.web.response_schemas import DecodeAnswer
from service.web.responses import (
    caching_headers,
    engine_for,
    etag_of_request,
    image_response,
    not_modified,
)
from service.web.routing import DirectRoute

router = APIRouter(tags=["images"], route_class=DirectRoute, default_response_class=Response)
ANY_ATTRIBUTE: dict[str, Any] = {
    "parameters": [
        {
            "name": "attributes",
            "in": "query",
            "description": "attribute values, each a parameter of its own name: shape=heart&scale=5",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}
# About how long one set of attribute values, or one z, takes to become a latent point.
MICROSECONDS_PER_POINT = 30


@router.post(
    "/decode",
    responses=files(DecodeAnswer, FORMATS),
    openapi_extra=body(json_body(DecodeBody)),
)
async def decode(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Make images of attribute values, or of latent points.

    A number is a position on the attribute's axis, a string a label, a list explicit weights, an object as /encode
    gives it is read by its value. Several items give a sheet as PNG and an animation as WebP, GIF or APNG.
    """
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    media = negotiate(request, FORMATS)
    given = await read_json(request, DecodeBody, state.settings)
    points = await in_thread_if_long(
        MICROSECONDS_PER_POINT * (len(given.attributes) + len(given.z)),  # one of them is empty
        _points,
        engine.model,
        given,
        state.settings.max_items,
    )
    return await _response(state, engine, points, media, query.columns)


@router.get(
    "/decode",
    responses={**files(DecodeAnswer, FORMATS), 304: {"description": "Not modified"}},
    openapi_extra=ANY_ATTRIBUTE,
)
async def decode_one(request: Request, query: Annotated[AttributesQuery, Query()]) -> Response:
    """Make one image of attribute values given as query parameters, for `<img src>` and caches.

    `/decode?shape=heart&scale=5`: a label, a number, or weights with commas between them.
    """
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    media = negotiate(request, FORMATS)
    points = points_of_query(engine.model, query.model_extra or {})
    tag = etag_of_request(engine.model, points, media, query.columns)
    headers = caching_headers(bool(state.settings.keys))
    if not_modified(request, tag):
        not_changed = Response(status_code=304)
        not_changed.raw_headers += ((b"etag", tag.encode()), *headers)
        return not_changed
    response = await _response(state, engine, points, media, query.columns)
    return response.with_headers(*headers)


def _points(model: Model, given: DecodeBody, max_items: int) -> LatentPoints:
    if "z" in given.model_fields_set:
        return points_of_z(model, given.z, max_items)
    return points_of_attributes(model, given.attributes, max_items)


async def _response(
    state: ServiceState, engine: Engine, points: LatentPoints, media: str, columns: int | None
) -> BytesResponse:
    tag = etag_of_request(engine.model, points, media, columns)
    response = state.cache.get(tag)
    if response is None:
        response = await image_response(engine, points, media, tag=tag, columns=columns, key="items")
        state.cache.put(tag, response)
    return response
