"""Responses that routes share: items as JSON, images in any format, ETags and caching."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel

from attributes import Value
from service.codecs import encode
from service.codecs.encode import Frames
from service.context import current_request
from service.inference.engine import Engine
from service.inference.model import Model
from service.inference.repository import ModelRepository
from service.latent.points import LatentPoints
from service.web.bytes_response import BytesResponse, Header
from service.web.scope import joined_header

MAX_AGE_SECONDS = 300
# Characters of If-None-Match that are looked at: some fifty ETags.
MAX_TAGS = 2000


def engine_for(repository: ModelRepository, name: str | None) -> Engine:
    """The engine of the model that a request names, if its queue has room. The response will name the model."""
    engine, request = repository.engine(name), current_request.get()
    if request.reservation is None:  # admission control could not tell which queue the request is for
        engine.scheduler.check_room()
    request.model_headers = engine.model.headers
    return engine


def json_response(content: BaseModel) -> Response:
    """A schema as JSON."""
    return Response(msgspec.json.encode(content.model_dump()), media_type=encode.JSON)


def json_items(model: Model, key: str, items: Sequence[Any]) -> bytes:
    """JSON of a model's name and digest, with a list of items under ``key``."""
    return msgspec.json.encode({"model": model.name, "digest": model.digest, key: items})


def etag(model: Model, media: str, *content: Any) -> str:
    """The weak ETag of the response that ``content``, canonical and JSON-like, gives as ``media``."""
    parts = msgspec.json.encode([model.digest, encode.CODEC, media, *content])
    return f'W/"{hashlib.blake2b(parts, digest_size=16).hexdigest()}"'


def etag_of_request(model: Model, points: LatentPoints, media: str, columns: int | None) -> str:
    """The ETag of images at ``points`` that a request gave as attributes or as z."""
    content = points.z.tolist() if points.attributes is None else list(points.attributes)
    return etag(model, media, content, columns)


def etag_of_z(model: Model, points: LatentPoints, media: str, *options: Any) -> str:
    """The ETag of images at ``points`` that came of images, with the options that also decide the bytes."""
    digest = hashlib.blake2b(points.z.tobytes(), digest_size=16).hexdigest()
    return etag(model, media, digest, points.attributes, *options)


def caching_headers(needs_key: bool) -> tuple[Header, ...]:
    """Headers that let caches keep a response; shared caches only where no API key is needed."""
    whose = b"private" if needs_key else b"public"
    return (b"cache-control", b"%s, max-age=%d" % (whose, MAX_AGE_SECONDS)), (b"vary", b"Accept")


def not_modified(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the client has the response (weak comparison, RFC 9110, section 13.1.2)."""
    sent = joined_header(request.scope, b"if-none-match")[:MAX_TAGS]
    known = [entry.strip().removeprefix("W/") for entry in sent.split(",")]
    return "*" in known or tag.removeprefix("W/") in known


async def image_response(
    engine: Engine,
    points: LatentPoints,
    media: str,
    *,
    tag: str,
    columns: int | None,
    key: str,
    fps: float = 12,
    loop: bool = True,
) -> BytesResponse:
    """The images at ``points`` as ``media`` with an ETag; JSON lists them under ``key``. Raises Problem 422."""
    count = len(points.z)
    sheet_columns = encode.sheet_columns(count, columns) if count > 1 else 1

    def encoded(frames: Frames) -> bytes:
        if media == encode.JSON:
            return _images_as_json(engine.model, frames, points, key)
        return encode.encode(frames, media, sheet_columns, fps, loop)

    microseconds = encode.microseconds(media, (count, *engine.model.manifest.image.shape))
    content = await engine.draw(points.z, encoded, microseconds=microseconds)
    headers = [(b"etag", tag.encode())]
    if points.rounded:
        headers.append((b"x-mixing", b"nearest"))
    if media == encode.GIF and fps > encode.MAX_GIF_FPS:
        headers.append((b"x-frame-rate", b"%g" % encode.MAX_GIF_FPS))
    if media == encode.PNG and count > 1:
        headers.append((b"x-sheet-columns", str(sheet_columns).encode()))
    return BytesResponse(content, media, *headers)


def _images_as_json(model: Model, frames: Frames, points: LatentPoints, key: str) -> bytes:
    values: Sequence[Mapping[str, Value] | None] = points.attributes or [None] * len(frames)
    listed = [{"image": encode.base64_png(frame), "attributes": v} for frame, v in zip(frames, values, strict=True)]
    return json_items(model, key, listed)
