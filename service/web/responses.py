"""Answers made of images: decoded, encoded in the format that was asked for, with their headers."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from anyio import to_thread
from fastapi import Request, Response

from attributes import Value
from service.codecs import encode as out
from service.context import current, timed
from service.inference.engine import Engine
from service.inference.model import Model
from service.inference.repository import Store
from service.latent.points import Points
from service.web.response_cache import Answer, Cache

CACHED_SECONDS = 300


def select(request: Request, name: str | None) -> Engine:
    """The engine that answers a request, if its queue has room; every answer from then on says which model it was."""
    store: Store = request.app.state.store
    engine, call = store.engine(name), current.get()
    if call.ticket is None:  # the door could not tell which queue it is for
        engine.scheduler.check_room()
    call.model = engine.model
    return engine


def etag(model: Model, media: str, *content: Any) -> str:
    """The weak ETag of what ``content``, canonical and JSON-like, gives as ``media``."""
    parts = msgspec.json.encode([model.digest, out.CODEC, media, *content])
    return f'W/"{hashlib.blake2b(parts, digest_size=16).hexdigest()}"'


def etag_of_points(model: Model, points: Points, media: str, columns: int | None) -> str:
    """The ETag of images at ``points`` that came of values or of z."""
    content = points.z.tolist() if points.attributes is None else list(points.attributes)
    return etag(model, media, content, columns)


def etag_of_z(model: Model, points: Points, media: str, *options: Any) -> str:
    """The ETag of images at ``points`` that came of images, with what else decides the answer's bytes."""
    digest = hashlib.blake2b(points.z.tobytes(), digest_size=16).hexdigest()
    return etag(model, media, digest, points.attributes, *options)


def caching(request: Request) -> dict[str, str]:
    """Headers that let caches keep an answer: shared ones only where it is for everybody, without an API key."""
    whose = "private" if request.app.state.settings.keys else "public"
    return {"Cache-Control": f"{whose}, max-age={CACHED_SECONDS}", "Vary": "Accept"}


def fresh(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the client has it already (weak comparison, RFC 9110, section 13.1.2)."""
    known = [
        entry.strip().removeprefix("W/") for entry in ",".join(request.headers.getlist("if-none-match")).split(",")
    ]
    return "*" in known or tag.removeprefix("W/") in known


async def kept(request: Request, tag: str, make: Callable[[], Awaitable[Response]]) -> Response:
    """The answer of an ETag: as it was made before, or made now."""
    cache: Cache = request.app.state.cache
    if (known := cache.get(tag)) is not None:
        response = Response(known.content)
        response.raw_headers = list(known.headers)
        return response
    response = await make()
    response.headers["ETag"] = tag
    cache.put(tag, Answer(tuple(response.raw_headers), bytes(response.body)))
    return response


def listing(model: Model, key: str, content: Sequence[Any]) -> bytes:
    """JSON of what a model says, listed under ``key``."""
    return msgspec.json.encode({"model": model.name, "digest": model.digest, key: content})


async def images(
    engine: Engine, points: Points, media: str, *, columns: int | None, key: str, fps: float = 12, loop: bool = True
) -> Response:
    """The images at ``points`` as ``media``; in JSON they are listed under ``key``. Raises Problem 422."""
    frames = await engine.draw(points.z, np.asarray)
    columns = out.sheet_columns(len(frames), columns)

    def encoded() -> bytes:
        if media != out.JSON:
            return out.write(frames, media, columns, fps, loop)
        values: Sequence[Mapping[str, Value] | None] = points.attributes or [None] * len(frames)
        listed = [{"image": out.base64_png(frame), "attributes": v} for frame, v in zip(frames, values, strict=True)]
        return listing(engine.model, key, listed)

    with timed("encoding"):
        content = await to_thread.run_sync(encoded)
    headers = {"X-Mixing": "nearest"} if points.snapped else {}
    if media == out.PNG and len(frames) > 1:
        headers["X-Sheet-Columns"] = str(columns)
    return Response(content, headers=headers, media_type=media)
