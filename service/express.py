"""The express lane: the commonest requests, without routing, schemas or a change of threads.

One set of attribute values or one latent point as JSON to a PNG, and one PNG of the model's own size to JSON, by the
default model. Whatever is not just that, a wrong value included, goes on to the routes, whose word counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.batching.scheduler import Columns
from service.codecs import png
from service.codecs.decode import stacked
from service.codecs.encode import JSON, PNG
from service.context import current
from service.inference import predictions
from service.inference.engine import Engine
from service.inference.repository import Store
from service.latent.points import Points, latent_points, points
from service.problems import NOT_RUN, Problem, not_run, problem_response
from service.web.response_cache import Answer, Cache
from service.web.responses import etag_of_points, listing

LARGEST_BODY = 2**15
Lane = Callable[[Engine, Cache, bytes], Awaitable[Answer | None]]


class Express:
    """ASGI middleware that answers by an express lane where a request fits one."""

    def __init__(self, app: ASGIApp, store: Store, cache: Cache) -> None:
        self.app = app
        self.store = store
        self.cache = cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = _lane(scope) if scope["type"] == "http" else None
        engine = self.store.default_engine
        if lane is None or engine is None:
            await self.app(scope, receive, send)
            return
        first = await receive()
        answer = None
        if first["type"] == "http.request" and not first.get("more_body"):
            try:
                answer = await lane(engine, self.cache, first["body"])
            except ClientDisconnect:
                return
            except NOT_RUN as error:
                await problem_response(not_run(error))(scope, receive, send)
                return
        if answer is None:
            await self.app(scope, _again(first, receive), send)
            return
        call = current.get()
        call.model, call.route = engine.model, scope["path"]
        await send({"type": "http.response.start", "status": 200, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.content})


async def decode(engine: Engine, cache: Cache, body: bytes) -> Answer | None:
    """As POST /decode, for one item."""
    try:
        given = _DECODE.decode(body)
        if body.count(b":") != 1 + len(given.attributes or ()):  # a key twice, perhaps
            return None
        made = _points(engine, given)
    except (msgspec.MsgspecError, UnicodeDecodeError, Problem):
        return None
    tag = etag_of_points(engine.model, made, PNG, None)
    if (known := cache.get(tag)) is not None:
        return known
    image = await engine.draw(made.z, lambda frames: png.encode(frames[0]))
    mixing = [(b"x-mixing", b"nearest")] if made.snapped else []
    answer = _answer(PNG, image, (b"etag", tag.encode()), *mixing)
    cache.put(tag, answer)
    return answer


async def encode(engine: Engine, cache: Cache, body: bytes) -> Answer | None:
    """As POST /encode, for one image."""
    model = engine.model
    image = png.decode(body, model.manifest.image.shape)
    if image is None:
        return None
    images = stacked([image], model.manifest.image)

    def answer(outputs: Columns) -> bytes:
        return listing(model, "items", predictions.items(model, outputs, [[]]))

    return _answer(JSON, await engine.read(images, answer))


def _answer(media: str, content: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    length = str(len(content)).encode()
    return Answer(((b"content-type", media.encode()), (b"content-length", length), *headers), content)


class _Decode(msgspec.Struct, forbid_unknown_fields=True):
    attributes: dict[str, float | str | list[float]] | None = None
    z: list[float] | None = None


_DECODE = msgspec.json.Decoder(_Decode)
_LANES: dict[tuple[str, str], tuple[Lane, bytes, tuple[bytes, ...]]] = {
    ("POST", "/decode"): (decode, JSON.encode(), (b"*/*", PNG.encode())),
    ("POST", "/encode"): (encode, PNG.encode(), (b"*/*", JSON.encode())),
}


def _points(engine: Engine, given: _Decode) -> Points:
    if given.attributes is not None and given.z is None:
        return points(engine.model, given.attributes, 1)
    if given.z is not None and given.attributes is None:
        return latent_points(engine.model, given.z, 1)
    raise Problem(422, "needs attributes or z, and not both")


def _lane(scope: Scope) -> Lane | None:
    """The lane that a request fits as far as its head tells."""
    found = _LANES.get((scope["method"], scope["path"]))
    if found is None or scope["query_string"]:
        return None
    lane, sent, accepted = found
    typed = sized = False
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value != sent:
                return None
            typed = True
        elif name == b"content-length":
            sized = len(value) <= 6 and int(value) <= LARGEST_BODY
        elif name == b"accept" and value not in accepted:
            return None
    return lane if typed and sized else None


def _again(first: Message, receive: Receive) -> Receive:
    """A request's messages, of which the first was taken already."""
    taken = [first]

    async def replay() -> Message:
        return taken.pop() if taken else await receive()

    return replay
