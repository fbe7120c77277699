"""POST /encode: images to attribute values and z."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.batching.jobs import Batch
from service.context import timed_phase
from service.inference import predictions
from service.latent import conditions, groups
from service.state import state_of
from service.web.bytes_response import BytesResponse
from service.web.multipart import MULTIPART
from service.web.negotiation import negotiate
from service.web.openapi import BYTES, PROBLEMS, body, json_body
from service.web.request_bodies import ENCODE_TYPES, JSON, read_sources
from service.web.request_schemas import EncodeBody, EncodeQuery
from service.web.response_schemas import EncodeAnswer
from service.web.responses import engine_for, json_items
from service.web.routing import DirectRoute

router = APIRouter(tags=["images"], route_class=DirectRoute)
# About how long one image's predictions take to be written as JSON.
MICROSECONDS_PER_ITEM = 40

_FILES = {"type": "object", "properties": {"files": {"type": "array", "items": BYTES}}, "required": ["files"]}
CONTENT = {
    **{media: {"schema": BYTES} for media in ENCODE_TYPES},
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
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    negotiate(request, (JSON,))
    given = conditions.parse(engine.model, query.given)
    sources = await read_sources(request, state.settings)
    with timed_phase("reading"):
        shape = engine.model.manifest.image.shape
        images, converted = await state.images.read(sources, shape, state.settings.max_items)
    items = groups.items if query.group else predictions.items

    def encoded(outputs: Batch) -> bytes:
        return json_items(engine.model, "items", items(engine.model, outputs, converted, query.detail))

    inputs = await conditions.encoder_inputs(engine, images, given)
    microseconds = MICROSECONDS_PER_ITEM * len(images)
    content = await engine.predict(images, encoded, microseconds=microseconds, conditions=inputs)
    return BytesResponse(content, JSON)
