"""What the protocol's routes share: how they are grouped, and what /docs says of their bodies and paths."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request
from msgspec import Struct

from service.openinference.bodies import BINARY
from service.problems import Problem
from service.web.openapi import PROBLEMS
from service.web.request_bodies import JSON

_FILE = {BINARY: {"schema": {"type": "string", "format": "binary", "description": "the same JSON, then the tensors"}}}
_PARAMETERS = {
    "{model}": {"name": "model", "description": "NAME.encoder, NAME.decoder, or NAME, which draws attribute weights"},
    "{version}": {"name": "version", "description": "the first 12 digits of the model's digest"},
}


async def no_query(request: Request) -> None:
    """Raise Problem 422 for any query parameter, as none is known."""
    for name in request.query_params:
        raise Problem(422, f"query.{name[:80]}: accepts no parameters", where=f"query.{name[:80]}")


def group() -> APIRouter:
    """A router of the protocol."""
    return APIRouter(
        prefix="/v2", tags=["open inference protocol"], responses=PROBLEMS, dependencies=[Depends(no_query)]
    )


def documented(path: str, answer: Any, body: type[Struct] | None = None, *, binary: bool = False) -> dict[str, Any]:
    """Arguments of a route at ``path`` that reads a ``body``, if any, by itself, and gives an ``answer``."""
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
    """A schema without references, as there is no common place for what they would refer to."""
    if isinstance(part, list):
        return [_inlined(item, components) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(components[part["$ref"]], components)
    return {key: _inlined(value, components) for key, value in part.items()}
