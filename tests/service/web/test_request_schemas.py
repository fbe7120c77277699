from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from starlette.testclient import TestClient

from service.web.request_schemas import (
    DecodeBody,
    EditBody,
    EncodeBody,
    EncodeQuery,
    InterpolateBody,
    ModelQuery,
    NoQuery,
    RecombineBody,
    SheetQuery,
)

ENDS = {"from": {"shape": "square", "scale": 0}, "to": {"shape": "heart", "scale": 5}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"attributes": {}, "z": [0] * 81},
        {"attributes": None},
        {"attributes": 5},
        {"attributes": []},
        {"attributes": [5]},
        {"attributes": {}, "columns": 2},
        {"z": None},
        [],
        None,
        "text",
    ],
)
def test_another_body_of_decode_than_documented_is_a_422(client: TestClient, body: Any):
    response = client.post("/decode", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": {}},
        {"keyframes": [{}]},
        {"keyframes": [{}, {}], "from": {}, "to": {}},
        {"keyframes": [{}, None]},
        {"from": None, "to": {}},
        ENDS | {"steps": 1},
        ENDS | {"steps": 2.5},
        ENDS | {"steps": True},
        ENDS | {"steps": "8"},
        ENDS | {"steps": 1.0},
        ENDS | {"steps": 257.0},
        ENDS | {"steps": 1e300},
        ENDS | {"fps": "12"},
        ENDS | {"fps": True},
        ENDS | {"steps": None},
        ENDS | {"easing": "bounce"},
        ENDS | {"fps": 0},
        ENDS | {"loop": 1},
        ENDS | {"speed": 2},
    ],
)
def test_another_body_of_interpolate_than_documented_is_a_422(client: TestClient, body: dict[str, Any]):
    assert client.post("/interpolate", json=body).status_code == 422


@pytest.mark.parametrize("steps", ["8", "8.0", "8e0", "0.8e1", "80E-1"])
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(client: TestClient, steps: str):
    """As in JSON Schema (2020-12, section 6.1.1 of its validation vocabulary)."""
    content = '{"from": {}, "to": {"scale": 0}, "fps": 8, "steps": STEPS}'.replace("STEPS", steps)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    response = client.post("/interpolate", content=content, headers=headers)
    assert (response.status_code, len(response.json()["frames"])) == (200, 8)


@pytest.mark.parametrize("index", ["2", "2.0", "0.2e1", '{"value": 2.0}'])
def test_the_index_of_a_class_is_one_however_it_is_written(client: TestClient, index: str):
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    response = client.post("/decode", content=b'{"attributes": {"shape": %s}}' % index.encode(), headers=headers)
    assert response.json()["items"][0]["attributes"]["shape"] == "heart"


@pytest.mark.parametrize("index", ["2.5", "true", '"2"', '{"value": 2.5}', "1e300"])
def test_what_is_no_index_of_a_class_is_a_422(client: TestClient, index: str):
    headers = {"Content-Type": "application/json"}
    response = client.post("/decode", content=b'{"attributes": {"shape": %s}}' % index.encode(), headers=headers)
    assert (response.status_code, response.json()["attribute"]) == (422, "shape")


@pytest.mark.parametrize(
    "body", [{}, {"images": []}, {"images": "x"}, {"images": [5]}, {"images": [None]}, {"image": "x"}]
)
def test_another_body_of_encode_than_documented_is_a_422(client: TestClient, body: Any):
    assert client.post("/encode", json=body).status_code == 422


@pytest.mark.parametrize("schema", [DecodeBody, EditBody, RecombineBody, InterpolateBody])
def test_every_example_of_the_documentation_is_accepted(schema: type[BaseModel]):
    examples = schema.model_json_schema()["examples"]
    assert examples
    for example in examples:
        schema.model_validate(example)


@pytest.mark.parametrize("schema", [DecodeBody, EncodeBody, EditBody, RecombineBody, InterpolateBody])
def test_every_member_of_a_body_is_documented_with_a_type(schema: type[BaseModel]):
    for name, member in schema.model_json_schema()["properties"].items():
        assert {"type", "anyOf", "enum"} & member.keys(), name


MANY = 50_000


@pytest.mark.parametrize(
    ("schema", "content", "places"),
    [
        (EncodeBody, {"images": ["x", *[1] * MANY]}, [("images", index) for index in range(1, 21)]),
        (InterpolateBody, {"keyframes": [1] * MANY}, [("keyframes", index) for index in range(20)]),
        (
            RecombineBody,
            {"class": {"images": [None] * MANY}, "style": {"image": "x"}},
            [("class", "images", index) for index in range(20)],
        ),
        (DecodeBody, {f"x{index}": 1 for index in range(MANY)}, [(f"x{index}",) for index in range(20)]),
        (
            RecombineBody,
            {"class": {f"x{index}": 1 for index in range(MANY)}, "style": {"image": "x"}},
            [("class", f"x{index}") for index in range(20)],
        ),
    ],
)
def test_no_more_errors_are_made_than_are_listed(schema: type[BaseModel], content: Any, places: list[tuple[Any, ...]]):
    with pytest.raises(ValidationError) as caught:
        schema.model_validate(content)
    assert [error["loc"] for error in caught.value.errors()] == places


@pytest.mark.parametrize("schema", [NoQuery, ModelQuery, SheetQuery, EncodeQuery])
def test_unknown_parameters_are_refused(schema: type[BaseModel]):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        schema.model_validate({"unknown": "1"})
