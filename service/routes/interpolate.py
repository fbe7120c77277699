"""POST /interpolate: key frames to frames."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from attributes import Float32, KeyFrame, of_image
from service.codecs.decode import read_images
from service.codecs.encode import APNG, GIF, JSON, NPY, PNG, WEBP, ZIP
from service.inference.engine import Engine
from service.inference.model import Model
from service.latent.interpolation import frame_count, of_values, walk
from service.problems import Problem, located
from service.settings import Settings
from service.web.events import EVENTS, stream
from service.web.negotiation import choose
from service.web.openapi import body, files, json_body
from service.web.request_bodies import base64_source, read_json
from service.web.responses import etag_of_z, images, select
from service.web.schemas import InterpolateAnswer, InterpolateBody, SheetQuery

router = APIRouter(tags=["images"])
FORMATS = (APNG, GIF, WEBP, PNG, NPY, ZIP, JSON, EVENTS)


@router.post(
    "/interpolate", responses=files(InterpolateAnswer, FORMATS), openapi_extra=body(json_body(InterpolateBody))
)
async def interpolate(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    """Walk from key frame to key frame: attributes move along their axes, nominal ones mix weights.

    A key frame is attribute values, or an image: `{"image": "<base64>"}`. K key frames give (K-1)(steps-1)+1 frames,
    a loop K(steps-1). As `text/event-stream` each frame comes when it is drawn: events `frame`, then `done`.
    """
    engine = select(request, query.model)
    media = choose(request.headers.getlist("accept"), FORMATS)
    given = await read_json(request, InterpolateBody)
    settings: Settings = request.app.state.settings
    named = _named(given)
    _check_limits(given, len(named), settings)
    keyframes = await _keyframes(engine, named, settings)
    walked = await to_thread.run_sync(walk, engine.model.codebook, keyframes, given.steps, given.loop, given.easing)
    if media == EVENTS:
        return await stream(engine, walked)
    response = await images(engine, walked, media, columns=query.columns, key="frames", fps=given.fps, loop=given.loop)
    response.headers["ETag"] = etag_of_z(engine.model, walked, media, query.columns, given.fps, given.loop)
    return response


def _named(given: InterpolateBody) -> dict[str, dict[str, Any]]:
    """The key frames, each by its place in the request."""
    if "keyframes" in given.model_fields_set:
        return {f"keyframes[{index}]": content for index, content in enumerate(given.keyframes)}
    return {"from": given.start, "to": given.end}


def _check_limits(given: InterpolateBody, keyframes: int, settings: Settings) -> None:
    if given.steps > settings.max_steps:
        raise Problem(422, f"steps: got {given.steps}; accepts 2 to {settings.max_steps}", where="steps")
    frames = frame_count(keyframes, given.steps, given.loop)
    if frames > settings.max_frames:
        raise Problem(413, f"{frames} frames; accepts at most {settings.max_frames}", limit=settings.max_frames)


async def _keyframes(engine: Engine, named: dict[str, dict[str, Any]], settings: Settings) -> list[KeyFrame]:
    model = engine.model
    read = await to_thread.run_sync(lambda: [_read(model, content, at, settings) for at, content in named.items()])
    pictures = [item for item in read if not isinstance(item, KeyFrame)]
    outputs = await engine.encode(np.concatenate(pictures)) if pictures else {}
    encoded = zip(outputs.get("z", ()), outputs.get("weights", ()), strict=True)
    return [item if isinstance(item, KeyFrame) else of_image(model.codebook, *next(encoded)) for item in read]


def _read(model: Model, content: dict[str, Any], where: str, settings: Settings) -> KeyFrame | Float32:
    """The key frame of attribute values, or an image [1, C, H, W] for the encoder to see."""
    if set(content) != {"image"}:
        with located(where):
            return of_values(model.codebook, content)
    where = f"{where}.image"
    if not isinstance(content["image"], str):
        raise Problem(422, f"{where}: accepts an image file in base64", where=where)
    images, _ = read_images([base64_source(content["image"], where)], model.manifest.image, 1, settings.max_pixels)
    return images
