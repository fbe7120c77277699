"""Request bodies: decompressed, strict JSON, and the many ways to send images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.codecs.decode import FILE_TYPES, Source
from service.problems import Problem, invalid
from service.settings import Settings
from service.threads import in_thread, in_thread_if_long
from service.web import multipart
from service.web.base64_files import base64_sources
from service.web.compression import IDENTITY, content_coding, decompress
from service.web.multipart import MULTIPART, Part, boundary_of, parse
from service.web.request_schemas import EncodeBody
from service.web.scope import header
from service.web.strict_json import parse_json

JSON = "application/json"
ENCODE_TYPES = (*FILE_TYPES, MULTIPART, JSON)
# About how long a byte of strict JSON takes to read.
JSON_MICROSECONDS_PER_BYTE = 0.02

Schema = TypeVar("Schema", bound=BaseModel)


def media_type(request: Request) -> str:
    """The body's media type, without parameters."""
    return header(request.scope, b"content-type").decode("latin-1").partition(";")[0].strip().lower()


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, decompressed; raises ClientDisconnect, or Problem 400, 413 or 415 for a compressed one.

    ``limit`` is for the decompressed body; what comes in is limited already.
    """
    compressed = header(request.scope, b"content-encoding")
    coding = content_coding(request.scope) if compressed else IDENTITY
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):  # most bodies come in one message
        body: bytes = message.get("body", b"")
    else:
        body = await _joined(request, message)
    # Decompressed in a thread, however short the body is: a few bytes may become megabytes.
    return body if coding == IDENTITY else await in_thread(decompress, body, coding, limit)


async def _joined(request: Request, message: Message) -> bytes:
    """The body that begins with this message of several."""
    parts = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
        message = await request.receive()
    raise ClientDisconnect


async def read_json(request: Request, schema: type[Schema], settings: Settings) -> Schema:
    """The request's JSON body as ``schema``; raises Problem 400, 413, 415 or 422."""
    accept(media_type(request), (JSON,))
    body = await read_body(request, settings.max_body_bytes)
    microseconds = len(body) * JSON_MICROSECONDS_PER_BYTE
    return await in_thread_if_long(microseconds, _validated, body, schema, settings.max_json_values)


def _validated(body: bytes, schema: type[Schema], max_values: int) -> Schema:
    # Counted first, as an empty object takes thirty times the memory of its text once it is parsed.
    if len(body) > max_values and (values := sum(body.count(sign) for sign in (b",", b"[", b"{"))) > max_values:
        raise Problem(413, f"the JSON has about {values} values; accepts at most {max_values}", limit=max_values)
    content = parse_json(body)
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise invalid(error) from None


def accept(media: str, accepted: Sequence[str], where: str = "the body") -> None:
    """Raise Problem 415 unless ``media`` is one of those accepted."""
    if media not in accepted:
        raise Problem(
            415, f"{where}: Content-Type {media[:80]!r}; accepts {', '.join(accepted)}", accepted=list(accepted)
        )


async def read_sources(request: Request, settings: Settings) -> list[Source]:
    """The image files of a request to /encode; raises Problem 400, 413, 415 or 422."""
    media = media_type(request)
    accept(media, ENCODE_TYPES)
    if media == MULTIPART:
        return await _multipart(request, settings)
    if media == JSON:
        images = (await read_json(request, EncodeBody, settings)).images
        if len(images) > settings.max_items:
            raise Problem(413, f"images: {len(images)} of them; accepts at most {settings.max_items}")
        return await base64_sources({f"images[{index}]": text for index, text in enumerate(images)})
    return [Source("the body", await read_body(request, settings.max_body_bytes), media)]


async def _multipart(request: Request, settings: Settings) -> list[Source]:
    boundary, most = boundary_of(header(request.scope, b"content-type")), settings.max_items
    body = await read_body(request, settings.max_body_bytes)
    # One file more than the limit tells that there are too many.
    parts = await in_thread_if_long(len(body) * multipart.MICROSECONDS_PER_BYTE, parse, body, boundary, most + 1)
    if len(parts) > most:
        raise Problem(413, f"multipart: more than {most} files; accepts at most {most}")
    if not parts:
        raise Problem(422, "multipart: no file; accepts one or more")
    return [_source(part, f"files[{index}]") for index, part in enumerate(parts)]


def _source(part: Part, where: str) -> Source:
    if not part.is_file:
        name = part.name[:80]
        raise Problem(422, f"multipart: the field {name!r} is no file; accepts files only", where=name)
    unknown = part.media in ("", "application/octet-stream")
    if not unknown:
        accept(part.media, FILE_TYPES, where)
    return Source(where, part.content, None if unknown else part.media)
