"""POST /interpolate: key frames to frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from attributes import Float32, KeyFrame, frame_count, key_frame_of_image, key_frame_of_values
from service.codecs.encode import APNG, GIF, JSON, NPY, PNG, WEBP, ZIP
from service.inference.engine import Engine
from service.inference.model import Model
from service.latent.interpolation import interpolated_points
from service.problems import Problem, located
from service.settings import Settings
from service.state import state_of
from service.threads import in_thread_if_long
from service.web.base64_files import base64_sources
from service.web.events import EVENTS, event_response
from service.web.image_requests import ImageReader
from service.web.negotiation import negotiate
from service.web.openapi import body, files, json_body
from service.web.request_bodies import read_json
from service.web.request_schemas import InterpolateBody, SheetQuery
from service.web.response_schemas import InterpolateAnswer
from service.web.responses import engine_for, etag_of_z, image_response
from service.web.routing import DirectRoute

router = APIRouter(tags=["images"], route_class=DirectRoute, default_response_class=Response)
FORMATS = (APNG, GIF, WEBP, PNG, NPY, ZIP, JSON, EVENTS)
# About how long one frame takes to become a latent point with its attribute values.
MICROSECONDS_PER_FRAME = 40


@router.post(
    "/interpolate",
    responses=files(InterpolateAnswer, FORMATS),
    openapi_extra=body(json_body(InterpolateBody)),
)
async def interpolate(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Walk from key frame to key frame: attributes move along their axes, nominal ones mix weights.

    A key frame is attribute values, or an image: `{"image": "<base64>"}`. K key frames give (K-1)(steps-1)+1 frames,
    a loop K(steps-1). As `text/event-stream` each frame comes when it is drawn: events `frame`, then `done`.
    """
    state = state_of(request)
    engine = engine_for(state.repository, query.model)
    media = negotiate(request, FORMATS)
    given = await read_json(request, InterpolateBody, state.settings)
    _check_limits(given, state.settings)
    contents = _contents(given)
    key_frames = await _key_frames(engine, contents, state.images)
    points = await in_thread_if_long(
        MICROSECONDS_PER_FRAME * given.steps * len(contents),
        lambda: interpolated_points(engine.model.codebook, key_frames, given.steps, given.loop, given.easing),
    )
    if media == EVENTS:
        return await event_response(engine, points)
    tag = etag_of_z(engine.model, points, media, query.columns, given.fps, given.loop)
    return await image_response(
        engine, points, media, tag=tag, columns=query.columns, key="frames", fps=given.fps, loop=given.loop
    )


def _contents(given: InterpolateBody) -> dict[str, dict[str, Any]]:
    """The key frames, each by where in the request it is."""
    if "keyframes" in given.model_fields_set:
        return {f"keyframes[{index}]": content for index, content in enumerate(given.keyframes)}
    return {"from": given.start, "to": given.end}


def _check_limits(given: InterpolateBody, settings: Settings) -> None:
    if given.steps > settings.max_steps:
        raise Problem(422, f"steps: got {given.steps}; accepts 2 to {settings.max_steps}", where="steps")
    frames = frame_count(len(given.keyframes) or 2, given.steps, given.loop)
    if frames > settings.max_frames:
        raise Problem(413, f"{frames} frames; accepts at most {settings.max_frames}", limit=settings.max_frames)


async def _key_frames(engine: Engine, contents: Mapping[str, dict[str, Any]], reader: ImageReader) -> list[KeyFrame]:
    """The key frames in order. All images among them are encoded in one batch."""
    model = engine.model
    found: dict[str, KeyFrame] = {}
    images: dict[str, Float32] = {}  # [1, C, H, W] each
    for where, content in contents.items():
        if set(content) == {"image"}:
            images[where] = await _image(content["image"], f"{where}.image", model, reader)
        else:
            with located(where):
                found[where] = key_frame_of_values(model.codebook, content)
    if images:
        outputs = await engine.encode(np.concatenate([*images.values()]))
        for where, z, weights in zip(images, outputs["z"], outputs["weights"], strict=True):
            found[where] = key_frame_of_image(model.codebook, z, weights)
    return [found[where] for where in contents]


async def _image(text: Any, where: str, model: Model, reader: ImageReader) -> Float32:
    if not isinstance(text, str):
        raise Problem(422, f"{where}: accepts an image file in base64", where=where)
    image, _ = await reader.read(await base64_sources({where: text}), model.manifest.image.shape, 1)
    return image
