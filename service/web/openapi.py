"""OpenAPI of what routes share: names of operations, bodies, responses that are files, problems, API keys."""

from __future__ import annotations

from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.problems import MEDIA_TYPE, ProblemDetails
from service.web.scope import PROBES

# What generators of clients understand as bytes.
BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
TEXT: dict[str, Any] = {"type": "string"}
# Schemas that FastAPI does not know of, by name. Each stands once in the document, as generators make a class of each.
SCHEMAS: dict[str, Any] = {}
REFERENCE = "#/components/schemas/{model}"


def reference(schema: type[BaseModel]) -> dict[str, Any]:
    """The reference to a schema, which is put into the document."""
    described = schema.model_json_schema(ref_template=REFERENCE)
    SCHEMAS.update(described.pop("$defs", {}))
    SCHEMAS[schema.__name__] = described
    return {"$ref": REFERENCE.format(model=schema.__name__)}


def problem(description: str) -> dict[str, Any]:
    """OpenAPI of an error's response."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": reference(ProblemDetails)}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": problem("The request can't be answered (RFC 9457)"),
    "5XX": problem("The service can't answer, now or because of an error of its own (RFC 9457)"),
}

COMPRESSION = (
    "May be compressed: `Content-Encoding` gzip or deflate, and br or zstd where the service has their libraries."
)


def operation_id(route: APIRoute) -> str:
    """The name of a route's operation, which generators make functions of: ``decode``, ``v2_infer``."""
    protocol = "v2_" if route.path.startswith("/v2") else ""
    version = "_of_version" if "{version}" in route.path else ""
    return f"{protocol}{route.name}{version}"


def json_body(schema: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a JSON request body."""
    return {"application/json": {"schema": reference(schema)}}


def body(content: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI of a request body."""
    return {"requestBody": {"description": COMPRESSION, "required": True, "content": content}}


def files(answer: type[BaseModel], media: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of responses that are a file of one of several media types, or ``answer`` as JSON.

    What is sent if a client accepts anything must come first: many generators know one media type of a response only.
    Its router needs ``default_response_class=Response``, or FastAPI puts JSON first.
    """
    content = {name: {"schema": TEXT if name.startswith("text/") else BYTES} for name in media}
    content["application/json"] = {}  # FastAPI adds the schema of ``answer``
    return {200: {"model": answer, "description": "Images", "content": content}, **PROBLEMS}


def complete(document: dict[str, Any], *, needs_key: bool) -> None:
    """Add schemas to an OpenAPI document, and which routes need an API key, and how it is sent."""
    components = document["components"]
    components["schemas"] |= SCHEMAS
    if not needs_key:
        return
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"bearer": []}, {"header": []}]
    for path in PROBES:
        for operation in document["paths"][path].values():
            operation["security"] = []
