"""POST /recombine: the class of some images in the style of another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.codecs.encode import FORMATS
from service.latent.groups import recombined
from service.latent.points import LatentPoints
from service.problems import Problem
from service.state import state_of
from service.web.negotiation import negotiate
from service.web.openapi import body, files, json_body
from service.web.request_bodies import read_json
from service.web.request_schemas import RecombineBody, SheetQuery
from service.web.response_schemas import DecodeAnswer
from service.web.responses import engine_for, etag_of_z, image_response
from service.web.routing import DirectRoute

router = APIRouter(tags=["images"], route_class=DirectRoute, default_response_class=Response)


@router.post(
    "/recombine",
    responses=files(DecodeAnswer, FORMATS),
    openapi_extra=body(json_body(RecombineBody)),
)
async def recombine(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Draw the class of one image, or of a group of them, in the style of another.

    For models that have both: a group (multi-level VAE), or conditions (conditional VAE). Several images, or frames of
    one file in `images`, are one group.
    """
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    media = negotiate(request, FORMATS)
    given = await read_json(request, RecombineBody, state.settings)
    limit = state.settings.max_items
    if len(given.classes.images) > limit:
        message = f"class.images: {len(given.classes.images)} of them; accepts at most {limit}"
        raise Problem(413, message, where="class.images")
    several = {f"class.images[{index}]": text for index, text in enumerate(given.classes.images)}
    one = {"class.image": given.classes.image}
    classes = await state.images.encode_base64(engine, several or one, limit if several else 1)
    style = await state.images.encode_base64(engine, {"style.image": given.style.image}, 1)
    points = LatentPoints(recombined(engine.model, classes, style), None)
    tag = etag_of_z(engine.model, points, media, query.columns)
    return await image_response(engine, points, media, tag=tag, columns=query.columns, key="items")
