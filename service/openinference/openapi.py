"""The router of the protocol, and the OpenAPI of its bodies and paths."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from msgspec import Struct

from service.openinference.bodies import BINARY
from service.web.openapi import PROBLEMS
from service.web.request_bodies import JSON
from service.web.routing import DirectRoute

_FILE = {BINARY: {"schema": {"type": "string", "format": "binary", "description": "the same JSON, then the tensors"}}}
_PARAMETERS = {
    "{model}": {"name": "model", "description": "NAME.encoder, NAME.decoder, or NAME, which draws attribute weights"},
    "{version}": {"name": "version", "description": "1, or the first 12 digits of the model's digest"},
}


def protocol_router() -> APIRouter:
    """A router below /v2; its routes accept no query parameters."""
    return APIRouter(prefix="/v2", tags=["open inference protocol"], responses=PROBLEMS, route_class=DirectRoute)


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
    if body:
        extra["requestBody"] = {"required": binary, "content": _json(body) | files}
    responses = {200: {"description": "OK", "content": _json(answer) | files if answer else {}}}
    return {"path": path, "responses": responses, "openapi_extra": extra}


def _json(kind: Any) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    return {JSON: {"schema": _inlined(schema, components)}}


def _inlined(part: Any, components: dict[str, Any]) -> Any:
    """A schema with its references replaced, as msgspec's components are not part of FastAPI's document."""
    if isinstance(part, list):
        return [_inlined(item, components) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(components[part["$ref"]], components)
    return {key: _inlined(value, components) for key, value in part.items()}
