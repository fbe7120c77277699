"""POST /encode: images to attribute values and z."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from service.codecs.decode import read_images
from service.context import timed
from service.inference import predictions
from service.latent import conditions, groups
from service.settings import Settings
from service.web.negotiation import choose
from service.web.openapi import PROBLEMS, body, json_body
from service.web.request_bodies import ENCODE_TYPES, JSON, MULTIPART, read_sources
from service.web.responses import listing, select
from service.web.schemas import EncodeAnswer, EncodeBody, EncodeQuery

router = APIRouter(tags=["images"])

_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_FILES = {"type": "object", "properties": {"files": {"type": "array", "items": _FILE}}}
CONTENT = {
    **{media: {"schema": _FILE} for media in ENCODE_TYPES},
    MULTIPART: {"schema": _FILES},
    **json_body(EncodeBody),
}


@router.post("/encode", responses={200: {"model": EncodeAnswer}, **PROBLEMS}, openapi_extra=body(CONTENT))
async def encode(request: Request, query: Annotated[EncodeQuery, Query()]) -> Response:
    """Read images: the value of each attribute, and the exact place in latent space.

    Every frame of an animation, every file and every image of an array is one item. Images of another size or colour
    are converted, and `converted` says how. `unfamiliar` is true of images unlike those that the model was trained on:
    what is said about these means little. What comes back is accepted by /decode. `?given=digit:3` tells a conditional
    model what it would infer otherwise; `?group=true` reads what the images of one group share.
    """
    engine = select(request, query.model)
    choose(request.headers.getlist("accept"), [JSON])
    given = conditions.parse(engine.model, query.given)
    settings: Settings = request.app.state.settings
    sources = await read_sources(request, settings.max_items)
    with timed("reading"):
        images, converted = await to_thread.run_sync(
            read_images, sources, engine.model.manifest.image, settings.max_items, settings.max_pixels
        )
    outputs = await conditions.read(engine, images, given)

    def answer() -> bytes:
        items = (groups if query.group else predictions).items(engine.model, outputs, converted, query.detail)
        return listing(engine.model, "items", items)

    with timed("encoding"):
        return Response(await to_thread.run_sync(answer), media_type=JSON)
