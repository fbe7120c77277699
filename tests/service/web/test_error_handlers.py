from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.inference.repository import ModelRepository
from tests.service.toys import image

JSON = {"Content-Type": "application/json"}

numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.integers(10**300, 10**310))
texts = st.one_of(
    st.text(st.characters(exclude_categories=())), st.sampled_from(["heart", "image", "value", "aGVsbG8="])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
names = st.one_of(
    st.sampled_from(["shape", "scale", "orientation", "pos_x", "style", "digit", "image", "value"]), st.text(max_size=5)
)
attributes = st.dictionaries(names, values, max_size=4)
pictures = st.one_of(st.just(image({0: 1})), texts)
shown = st.one_of(
    st.fixed_dictionaries({"image": pictures}), st.fixed_dictionaries({"images": st.lists(pictures, max_size=3)})
)
fields = st.sampled_from(["attributes", "z", "from", "to", "keyframes", "steps", "loop", "easing", "fps", "images"])
bodies = st.one_of(
    values,
    st.dictionaries(fields, st.one_of(values, attributes, st.lists(attributes, max_size=3)), max_size=4),
    st.fixed_dictionaries({"attributes": st.one_of(attributes, st.lists(attributes, max_size=3))}),
    st.fixed_dictionaries({"from": attributes, "to": attributes, "steps": st.integers(0, 20)}),
    st.fixed_dictionaries({"image": pictures}, optional={"set": attributes, "add": attributes}),
    st.fixed_dictionaries(
        {"class": st.one_of(values, shown), "style": st.one_of(values, shown)}, optional={"image": pictures}
    ),
)


@pytest.mark.parametrize(
    "path",
    [
        "/decode",
        "/encode",
        "/interpolate",
        "/edit",
        "/decode?model=codes",
        "/interpolate?model=codes",
        "/edit?model=codes",
        "/recombine?model=group",
        "/recombine?model=conditional",
    ],
)
@given(body=bodies)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_body_gives_a_500(client: TestClient, path: str, body: Any):
    response = client.post(path, content=json.dumps(body), headers=JSON)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        check_problem(response)


@given(told=st.one_of(st.text(max_size=12), st.from_regex(r"(shape|scale|style|x):[^&#]{0,8}(,scale:[0-9.,e]*)?")))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_told_gives_a_500(client: TestClient, told: str):
    query = {"model": "conditional", "given": told}
    response = client.post("/encode", params=query, json={"images": [image({0: 1})]})
    assert response.status_code < 500
    if response.status_code >= 400:
        check_problem(response)


@given(query=st.dictionaries(names, st.text(max_size=8), max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_gives_a_500(client: TestClient, query: dict[str, str]):
    response = client.get("/decode", params=query)
    assert response.status_code < 500
    if response.status_code >= 400:
        check_problem(response)


def check_problem(response: Any) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["X-Request-ID"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["title"] == HTTPStatus(response.status_code).phrase
    assert problem["type"] == "about:blank"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/paint", 404),
        ("POST", "/blend", 404),
        ("GET", "/nothing", 404),
        ("GET", "/v2/nothing", 404),
        ("GET", "/encode", 405),
        ("DELETE", "/decode", 405),
        ("POST", "/models", 405),
        ("POST", "/decode", 415),
        ("GET", "/models?x=1", 422),
        ("GET", "/v2?x=1", 422),
        ("GET", f"/v2?{'&' * 100}", 414),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int):
    response = client.request(method, path)
    assert response.status_code == status
    check_problem(response)
    if status == 405:
        assert response.headers["allow"]


def test_a_wrong_query_parameter_says_where_and_why(client: TestClient):
    problem = client.post("/decode?columns=many", json={"attributes": {}}).json()
    assert problem["errors"][0]["where"] == "query.columns"
    assert "integer" in problem["detail"]


def test_a_lone_surrogate_is_echoed_without_harm(client: TestClient):
    for body in ('{"attributes": {"shape": "\\ud800"}}', '{"attributes": {"\\ud800": 1}}', '{"\\ud800": 1}'):
        response = client.post("/decode", content=body, headers=JSON)
        assert response.status_code == 422
        check_problem(response)


def test_a_bug_is_a_500_with_the_request_id_and_no_details(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ModelRepository, "engine", fail)
    response = client.post("/decode", json={"attributes": {}})
    assert response.status_code == 500
    check_problem(response)
    assert "secret" not in response.text


def test_a_wrong_method_is_told_all_that_the_path_has(client: TestClient):
    response = client.put("/decode")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST"
