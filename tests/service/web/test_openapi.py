from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from service.codecs.encode import FORMATS
from service.routes import interpolate
from service.web.events import EVENTS
from tests.service.openinference.asking import IMAGES, tensor
from tests.service.toys import image

PROBLEM = "application/problem+json"
PICTURE = image({0: 1.0})
INFER = {"inputs": [tensor("image", IMAGES)]}
ENCODER = "/v2/models/grey.encoder"
ASKED: list[tuple[str, str, Any]] = [
    *(("GET", path, None) for path in ("/models", "/models/grey", "/health/live", "/health/ready", "/metrics")),
    *(("GET", f"/v2{path}", None) for path in ("", "/health/live", "/health/ready", "/models/stats")),
    *(("GET", f"{ENCODER}{path}", None) for path in ("", "/ready", "/config", "/stats", "/versions/1/config")),
    ("POST", f"{ENCODER}/infer", INFER),
    ("POST", f"{ENCODER}/infer", {**INFER, "parameters": {"binary_data_output": True}}),
    ("POST", f"{ENCODER}/infer", {"inputs": []}),
    ("POST", "/v2/repository/index", {}),
    ("POST", "/v2/repository/models/grey/load", {}),
    ("GET", "/v2/models/nope/config", None),
    ("GET", "/models/nope", None),
    ("POST", "/encode", {"images": [PICTURE]}),
    ("POST", "/encode?detail=posterior", {"images": [PICTURE] * 2}),
    ("POST", "/encode", {"images": []}),
    ("POST", "/encode?given=nope:1", {"images": [PICTURE]}),
    ("GET", "/decode", None),
    ("GET", "/decode?nope=1", None),
    ("POST", "/decode", {"attributes": [{}, {}]}),
    ("POST", "/decode", {}),
    ("POST", "/edit", {"image": PICTURE, "set": {}}),
    ("POST", "/recombine?model=group", {"class": {"image": PICTURE}, "style": {"image": PICTURE}}),
    ("POST", "/interpolate", {"from": {}, "to": {}, "steps": 3}),
]


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document, on any level."""
    if isinstance(part, dict):
        yield part
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from parts(inner)


def check(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Fail unless a value fits a schema of the document."""
    Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def test_the_document_is_openapi(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    found = {part["$ref"] for part in parts(document) if "$ref" in part}
    assert found
    for reference in found:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_every_operation_has_a_name_of_its_own_that_is_one_of_a_function_too(document: dict[str, Any]):
    names = [operation["operationId"] for *_, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {"encode", "decode", "decode_one", "list_models", "v2_infer", "v2_infer_of_version"} <= set(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]{3,40}", name) for name in names)


def test_every_array_says_what_it_holds(document: dict[str, Any]):
    arrays = [part for part in parts(document) if part.get("type") == "array"]
    assert len(arrays) > 20
    assert [array for array in arrays if "items" not in array and "prefixItems" not in array] == []


def test_every_example_fits_its_schema(document: dict[str, Any]):
    described = [
        (part, example)
        for part in parts(document)
        if "type" in part or "anyOf" in part
        for example in part.get("examples", ())
    ]
    assert len(described) > 4
    for schema, example in described:
        check(document, schema, example)


def test_bodies_have_the_names_that_are_sent(document: dict[str, Any]):
    def properties(path: str) -> set[str]:
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return set(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"])

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


def test_every_error_is_a_problem(document: dict[str, Any]):
    for method, path, operation in operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        assert errors.keys() >= {"4XX", "5XX"}, (method, path)
        for answer in errors.values():
            assert answer["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}


@pytest.mark.parametrize(
    ("method", "path", "formats"),
    [
        ("get", "/decode", FORMATS),
        ("post", "/decode", FORMATS),
        ("post", "/edit", FORMATS),
        ("post", "/recombine", FORMATS),
        ("post", "/interpolate", interpolate.FORMATS),
    ],
)
def test_files_are_described_as_bytes_and_what_comes_unasked_is_first(
    document: dict[str, Any], method: str, path: str, formats: tuple[str, ...]
):
    content = document["paths"][path][method]["responses"]["200"]["content"]
    assert tuple(content) == formats
    assert content.pop("application/json")["schema"]["$ref"].endswith("Answer")
    assert content.pop(EVENTS, {"schema": {"type": "string"}}) == {"schema": {"type": "string"}}
    assert all(media["schema"] == {"type": "string", "format": "binary"} for media in content.values())


@pytest.mark.parametrize("accept", ["*/*", *interpolate.FORMATS])
def test_answers_are_as_the_document_says(client: TestClient, document: dict[str, Any], accept: str):
    patterns = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in document["paths"]}
    for method, address, body in ASKED:
        answer = client.request(method, address, json=body, headers={"Accept": accept})
        asked = address.partition("?")[0]
        path = next(path for path, pattern in patterns.items() if path == asked or pattern.fullmatch(asked))
        responses = document["paths"][path][method.lower()]["responses"]
        described = responses.get(str(answer.status_code)) or responses[f"{answer.status_code // 100}XX"]
        media = answer.headers["content-type"].partition(";")[0]
        assert media in described["content"], (method, address, answer.status_code, media)
        if media.endswith("json"):
            check(document, described["content"][media]["schema"], answer.json())
