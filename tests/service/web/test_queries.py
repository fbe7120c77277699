from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from service.problems import Problem
from service.web.queries import (
    MAX_PARAMETERS,
    many_parameters,
    read_query,
    refuse_parameters,
    refuse_repeated_parameters,
)
from service.web.request_schemas import AttributesQuery, NoQuery, SheetQuery


@pytest.mark.parametrize(
    "query", ["size=3", "shape=hart", "scale=9", "scale=nan", "scale=", "shape=heart&shape=square", "scale=1,2"]
)
def test_wrong_query_parameters_are_a_422(client: TestClient, query: str):
    assert client.get(f"/decode?{query}").status_code == 422


def test_typos_in_query_parameters_do_not_pass_silently(client: TestClient):
    assert client.post("/decode?colums=3", json={"attributes": {}}).status_code == 422
    assert client.post("/decode?model=grey&model=codes", json={"attributes": {}}).status_code == 422


def test_more_parameters_than_any_route_has_are_counted_without_being_parsed():
    assert many_parameters(b"&".join([b"a=1"] * MAX_PARAMETERS)) is None
    problem = many_parameters(b"&".join([b"a=1"] * (MAX_PARAMETERS + 1)))
    assert problem
    assert (problem.status_code, problem.members["limit"]) == (414, MAX_PARAMETERS)


def request(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_parameters_are_read_as_their_schema_says():
    assert read_query(request("model=grey&columns=3"), SheetQuery) == SheetQuery(model="grey", columns=3)
    assert read_query(request(""), SheetQuery) == SheetQuery()
    assert read_query(request("shape=a%26b&columns=2"), AttributesQuery).model_extra == {"shape": "a&b"}


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("columns=0", "query.columns"),
        ("columns=many", "query.columns"),
        ("columns=", "query.columns"),
        ("a=1", "query.a"),
    ],
)
def test_a_wrong_parameter_is_a_422_that_names_it(query: str, where: str):
    with pytest.raises(Problem) as caught:
        read_query(request(query), SheetQuery)
    assert caught.value.status_code == 422
    assert [error["where"] for error in caught.value.members["errors"]] == [where]


@pytest.mark.parametrize(
    "read",
    [
        lambda given: read_query(given, AttributesQuery),
        lambda given: read_query(given, NoQuery),
        refuse_repeated_parameters,
        refuse_parameters,
    ],
)
def test_a_parameter_given_twice_is_a_422_that_names_it(read: Callable[[Request], Any]):
    with pytest.raises(Problem, match="given 2 times") as caught:
        read(request("shape=1&b=2&shape=1"))
    assert (caught.value.status_code, caught.value.members["where"]) == (422, "query.shape")


def test_any_parameter_is_a_422_where_a_route_has_none():
    refuse_parameters(request(""))
    with pytest.raises(Problem, match="accepts no parameters") as caught:
        refuse_parameters(request("x=1"))
    assert (caught.value.status_code, caught.value.members["where"]) == (422, "query.x")


def test_a_long_name_is_repeated_in_part():
    with pytest.raises(Problem) as caught:
        refuse_parameters(request(f"{'x' * 5000}=1"))
    assert len(caught.value.detail) < 150
