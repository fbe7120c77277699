"""Request bodies: strict JSON, and the many ways to send images."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect

from service.codecs.decode import FILE_TYPES, Source
from service.problems import Problem, invalid
from service.settings import Settings
from service.web.schemas import EncodeBody

JSON, MULTIPART = "application/json", "multipart/form-data"
ENCODE_TYPES = (*FILE_TYPES, MULTIPART, JSON)
LONGEST_INTEGER = 400
VALUES = 512
"""Most values of a JSON body for each item or frame that a request may have."""
# A body is limited already, and a read-only container has no place for temporary files.
MultiPartParser.spool_max_size = sys.maxsize

Schema = TypeVar("Schema", bound=BaseModel)


def parse_json(body: bytes) -> Any:
    """Strict JSON: no NaN, no Infinity, no key twice in an object; Problem 400 otherwise."""
    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except RecursionError:
        raise Problem(400, "the JSON is nested too deeply") from None
    except ValueError as error:
        raise Problem(400, f"malformed JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"the key {key[:80]!r} is there twice")
        content[key] = value
    return content


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    # Python refuses to convert very long integers; as floats they overflow, which is then said of the field.
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def media_type(request: Request) -> str:
    """The body's media type, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read_json(request: Request, schema: type[Schema]) -> Schema:
    """The request's JSON body as ``schema``; raises Problem 400, 413, 415 or 422."""
    accept(media_type(request), (JSON,))
    settings: Settings = request.app.state.settings
    most = VALUES * max(settings.max_items, settings.max_frames)
    return await to_thread.run_sync(_validated, await request.body(), schema, most)


def _validated(body: bytes, schema: type[Schema], most: int) -> Schema:
    # Counted first: parsed, an empty object takes thirty times the memory of its text.
    if (values := sum(body.count(sign) for sign in (b",", b"[", b"{"))) > most:
        raise Problem(413, f"the JSON has about {values} values; accepts at most {most}", limit=most)
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


async def read_sources(request: Request, max_items: int) -> list[Source]:
    """The image files of a request to /encode; raises Problem 400, 413, 415 or 422."""
    media = media_type(request)
    accept(media, ENCODE_TYPES)
    if media == MULTIPART:
        return await _multipart(request, max_items)
    if media == JSON:
        images = (await read_json(request, EncodeBody)).images
        if len(images) > max_items:
            raise Problem(413, f"images: {len(images)} of them; accepts at most {max_items}")
        return await to_thread.run_sync(lambda: [base64_source(i, f"images[{n}]") for n, i in enumerate(images)])
    return [Source("the body", await request.body(), media)]


def base64_source(text: str, where: str) -> Source:
    """The file in a base64 text; raises Problem 400."""
    try:
        return Source(where, base64.b64decode(text, validate=True), None)
    except ValueError as error:
        raise Problem(400, f"{where}: not base64: {error}", where=where) from None


async def _multipart(request: Request, max_items: int) -> list[Source]:
    sources: list[Source] = []
    try:
        # One more than the limit, so that it is answered as what it is.
        form = await request.form(max_files=max_items + 1, max_fields=1)
    except (Problem, ClientDisconnect):
        raise
    except HTTPException as error:
        too_many = error.detail.startswith("Too many files")
        raise Problem(413 if too_many else error.status_code, f"multipart: {error.detail}") from None
    except Exception as error:  # the parser raises what its own decoding steps raise
        raise Problem(400, f"malformed multipart: {type(error).__name__}") from None
    try:
        for name, part in form.multi_items():
            where = f"files[{len(sources)}]"
            if not isinstance(part, UploadFile):
                raise Problem(
                    422, f"multipart: the field {name[:80]!r} is no file; accepts files only", where=name[:80]
                )
            media = (part.content_type or "").split(";")[0].strip().lower()
            unknown = media in ("", "application/octet-stream")
            if not unknown:
                accept(media, FILE_TYPES, where)
            sources.append(Source(where, await part.read(), None if unknown else media))
    finally:
        await form.close()
    if len(sources) > max_items:
        raise Problem(413, f"multipart: {len(sources)} files; accepts at most {max_items}")
    if not sources:
        raise Problem(422, "multipart: no file; accepts one or more")
    return sources
