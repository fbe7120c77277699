from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def references(part: Any) -> Iterator[str]:
    for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
        if name == "$ref":
            yield inner
        elif isinstance(inner, dict | list):
            yield from references(inner)


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    found = set(references(document))
    assert found
    for reference in found:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_bodies_have_the_names_that_are_sent(document: dict[str, Any]):
    def properties(path: str) -> set[str]:
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return set(schema["properties"])

    assert properties("/edit") == {"image", "set", "add"}
    assert properties("/recombine") == {"class", "style"}
    assert properties("/decode") == {"attributes", "z"}
    assert properties("/interpolate") == {"from", "to", "keyframes", "steps", "loop", "easing", "fps"}


def test_every_body_says_that_it_may_be_compressed(document: dict[str, Any]):
    bodies = [r["requestBody"] for route in document["paths"].values() for r in route.values() if "requestBody" in r]
    assert bodies
    for each in bodies:
        assert "`Content-Encoding` gzip" in each["description"]


def test_what_encode_can_be_told_is_documented(document: dict[str, Any]):
    parameters = {each["name"]: each for each in document["paths"]["/encode"]["post"]["parameters"]}
    assert {"model", "detail", "given", "group"} == parameters.keys()
    assert all(each["description"] for each in parameters.values())


def test_every_route_documents_its_problems(document: dict[str, Any]):
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert "4XX" in route["responses"], (method, path)
