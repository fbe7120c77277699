"""The router of the protocol, and the OpenAPI of its bodies and paths."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Response
from msgspec import Struct

from service.openinference.bodies import BINARY, HEADER_LENGTH
from service.web.openapi import BYTES, COMPRESSION, PROBLEMS, REFERENCE, SCHEMAS
from service.web.request_bodies import JSON
from service.web.routing import DirectRoute

_FILE = {BINARY: {"schema": {**BYTES, "description": "the same JSON, then the tensors"}}}
_PARAMETERS = {
    "{model}": {"name": "model", "description": "NAME.encoder, NAME.decoder, or NAME, which draws attribute weights"},
    "{version}": {"name": "version", "description": "1, or the first 12 digits of the model's digest"},
}
_LENGTH = {
    "description": "bytes of the JSON, where binary data stand behind it",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
}


def protocol_router() -> APIRouter:
    """A router below /v2; its routes accept no query parameters."""
    return APIRouter(
        prefix="/v2",
        tags=["open inference protocol"],
        responses=PROBLEMS,
        route_class=DirectRoute,
        default_response_class=Response,
    )


def route_docs(path: str, answer: Any, body: type[Struct] | None = None, *, binary: bool = False) -> dict[str, Any]:
    """The arguments of a route at ``path`` that reads a ``body``, if there is one, and responds with ``answer``."""
    files = _FILE if binary else {}
    extra: dict[str, Any] = {
        "parameters": [
            {**parameter, "in": "path", "required": True, "schema": {"type": "string"}}
            for name, parameter in _PARAMETERS.items()
            if name in path
        ]
    }
    ok: dict[str, Any] = {"description": "OK"}
    if body:
        extra["requestBody"] = {"description": COMPRESSION, "required": binary, "content": _json(body) | files}
    if answer:
        ok["content"] = _json(answer) | files
    if binary:
        extra["parameters"].append({"name": HEADER_LENGTH, "in": "header", **_LENGTH})
        ok["headers"] = {HEADER_LENGTH: _LENGTH}
    return {"path": path, "responses": {200: ok}, "openapi_extra": extra}


def _json(kind: Any) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([kind], ref_template=REFERENCE.format(model="{name}"))
    SCHEMAS.update(components)
    return {JSON: {"schema": schema}}
