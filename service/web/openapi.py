"""OpenAPI of what routes share: bodies that they read themselves, responses that are files, API keys."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from service.problems import MEDIA_TYPE, ProblemDetails
from service.web.scope import PROBES

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}},
    },
}

COMPRESSION = (
    "May be compressed: `Content-Encoding` gzip or deflate, and br or zstd where the service has their libraries."
)


def json_body(schema: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a JSON request body."""
    return {"application/json": {"schema": schema.model_json_schema()}}


def body(content: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI of a request body."""
    return {"requestBody": {"description": COMPRESSION, "required": True, "content": content}}


def files(answer: type[BaseModel], media: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of responses that are a file of one of several media types, or ``answer`` as JSON."""
    content = {name: {"schema": {"type": "string", "format": "binary"}} for name in media if name != "application/json"}
    return {200: {"model": answer, "description": "Images", "content": content}, **PROBLEMS}


def describe_keys(app: FastAPI) -> None:
    """Describe which routes need an API key, and how it is sent."""
    document = app.openapi()
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"bearer": []}, {"header": []}]
    for path in PROBES:
        for operation in document["paths"][path].values():
            operation["security"] = []
