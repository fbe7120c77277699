from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json())


@pytest.fixture
def routes(document: dict[str, Any]) -> dict[str, Any]:
    return {path: methods for path, methods in document["paths"].items() if path.startswith("/v2")}


def schema(document: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    """The schema that a reference leads to."""
    return dict(document["components"]["schemas"][reference["$ref"].removeprefix("#/components/schemas/")])


def test_the_protocol_is_documented(routes: dict[str, Any]):
    model, version = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    assert set(routes) == {
        "/v2", "/v2/health/live", "/v2/health/ready",
        *(f"{of}{part}" for of in (model, version) for part in ("", "/ready", "/config", "/stats", "/infer")),
        "/v2/models/stats",
        "/v2/repository/index", "/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload",
    }  # fmt: skip
    for path, methods in routes.items():
        (route,) = methods.values()
        assert route["tags"] == ["open inference protocol"]
        named = [parameter["name"] for parameter in route["parameters"] if parameter["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path)


def test_a_request_is_documented_down_to_its_tensors(document: dict[str, Any], routes: dict[str, Any]):
    for path in ("/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"):
        route = routes[path]["post"]
        (header,) = (parameter for parameter in route["parameters"] if parameter["in"] == "header")
        assert header["name"] == "Inference-Header-Content-Length" in route["responses"]["200"]["headers"]
        assert not header["required"]
        for content in (route["requestBody"]["content"], route["responses"]["200"]["content"]):
            assert set(content) == {"application/json", "application/octet-stream"}
        request = schema(document, route["requestBody"]["content"]["application/json"]["schema"])
        tensor = schema(document, request["properties"]["inputs"]["items"])
        assert tensor["required"] == ["name", "datatype", "shape"]
        assert set(tensor["properties"]) == {"name", "datatype", "shape", "parameters", "data"}


def test_a_body_is_needed_only_where_a_model_runs(routes: dict[str, Any]):
    needed = {
        path: route["requestBody"]["required"]
        for path, methods in routes.items()
        for route in methods.values()
        if "requestBody" in route
    }
    assert needed == {path: path.endswith("/infer") for path in needed}
    assert len(needed) == 5
