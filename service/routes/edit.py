"""POST /edit: an image with other attributes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.codecs.encode import FORMATS
from service.latent.editing import edited
from service.state import state_of
from service.web.negotiation import negotiate
from service.web.openapi import body, files, json_body
from service.web.request_bodies import read_json
from service.web.request_schemas import EditBody, SheetQuery
from service.web.response_schemas import DecodeAnswer
from service.web.responses import engine_for, etag_of_z, image_response
from service.web.routing import DirectRoute

router = APIRouter(tags=["images"], route_class=DirectRoute, default_response_class=Response)


@router.post("/edit", responses=files(DecodeAnswer, FORMATS), openapi_extra=body(json_body(EditBody)))
async def edit(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Change attributes of an image, and keep all that they don't tell.

    `set` takes values as /decode does, `add` moves a position or value by so much: circular ones past their seam,
    others not past their ends. As JSON the answer says the values after the edit.
    """
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    media = negotiate(request, FORMATS)
    given = await read_json(request, EditBody, state.settings)
    outputs = await state.images.encode_base64(engine, {"image": given.image}, 1)
    points = edited(engine.model, outputs, given.to, given.by)
    tag = etag_of_z(engine.model, points, media, query.columns)
    return await image_response(engine, points, media, tag=tag, columns=query.columns, key="items")
