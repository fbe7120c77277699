from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from attributes import AttributeValueError
from service.problems import (
    MAX_LISTED_ERRORS,
    MEDIA_TYPE,
    Problem,
    ProblemDetails,
    invalid,
    located,
    over_limit,
    problem_response,
)


def content(problem: Problem, path: str = "") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bytes(problem_response(problem, path).body))
    ProblemDetails.model_validate(document)
    return document


def test_a_problem_is_a_document_of_rfc_9457_with_members_of_its_own():
    problem = Problem(409, "not now", headers={"Retry-After": "3"}, where="here")
    response = problem_response(problem)
    assert (response.status_code, response.media_type, response.headers["Retry-After"]) == (409, MEDIA_TYPE, "3")
    assert content(problem) == {
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "not now", "where": "here",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "has"), [("/v2", True), ("/v2/models/a", True), ("/v20", False), ("/decode", False)])
def test_clients_of_the_inference_protocol_find_their_member(path: str, has: bool):
    assert content(Problem(404, "nothing"), path).get("error") == ("nothing" if has else None)


def test_letters_beyond_ascii_stay_and_lone_surrogates_are_escaped():
    assert b'"\xc3\xa9"' in bytes(problem_response(Problem(422, "x", got="é")).body)
    document = content(Problem(422, "a\ud800", got=[{"b\udfff": "\ud800"}]))
    assert (document["detail"], document["got"]) == ("a\\ud800", [{"b\\udfff": "\\ud800"}])


def test_what_json_has_no_type_for_is_told_as_text():
    assert content(Problem(422, "x", got=1 + 2j))["got"] == "(1+2j)"


def test_a_limit_says_what_it_is_and_when_to_come_again():
    problem = over_limit(429, "full", 7, 100)
    assert (problem.headers, problem.members) == ({"Retry-After": "7"}, {"limit": 100})


@pytest.mark.parametrize(
    ("attribute", "where", "path"),
    [("scale", "attributes[1]", "attributes[1].scale"), ("scale", "", "scale"), ("attributes", "from", "from")],
)
def test_a_wrong_value_is_located_in_the_request(attribute: str, where: str, path: str):
    with pytest.raises(Problem) as caught, located(where):
        raise AttributeValueError(attribute, 9, "0 to 5")
    assert caught.value.status_code == 422
    assert caught.value.members == {"where": path, "attribute": attribute, "got": "9", "accepted": "0 to 5"}
    assert caught.value.detail == f"{path}: got 9; accepts 0 to 5"


def test_a_place_is_repeated_in_part():
    class Schema(BaseModel, extra="forbid"):
        pass

    with pytest.raises(ValidationError) as caught:
        Schema.model_validate({"x" * 100_000: 1})
    problem = invalid(caught.value)
    assert problem.members["errors"][0]["where"].startswith("xxx")
    assert len(problem.detail) < 400


def test_a_schema_that_is_not_met_lists_some_places():
    class Schema(BaseModel):
        numbers: list[int]

    with pytest.raises(ValidationError) as caught:
        Schema.model_validate({"numbers": ["x"] * (MAX_LISTED_ERRORS + 5)})
    errors = invalid(caught.value, ("query",)).members["errors"]
    assert [error["where"] for error in errors] == [f"query.numbers.{i}" for i in range(MAX_LISTED_ERRORS)]
