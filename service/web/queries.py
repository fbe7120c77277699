"""Query parameters: not too many, each at most once, and none that a route does not know."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from service.problems import Problem, invalid

Schema = TypeVar("Schema", bound=BaseModel)
# A model's attributes are a handful. Thousands of parameters fit into a head, and each takes time to be refused.
MAX_PARAMETERS = 100


def many_parameters(query: bytes) -> Problem | None:
    """The 414 for a query of too many parameters. They are counted before anything parses them."""
    found = query.count(b"&") + 1
    if found <= MAX_PARAMETERS:
        return None
    return Problem(414, f"query: {found} parameters; accepts at most {MAX_PARAMETERS}", limit=MAX_PARAMETERS)


def read_query(request: Request, schema: type[Schema]) -> Schema:
    """The query parameters as ``schema``; raises Problem 422."""
    refuse_repeated_parameters(request)
    try:
        return schema.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise invalid(error, ("query",)) from None


def refuse_repeated_parameters(request: Request) -> None:
    """Raise Problem 422 if a parameter is given twice, as nothing tells which one is meant."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise Problem(422, f"query.{name[:80]}: given {times} times", where=f"query.{name[:80]}")


def refuse_parameters(request: Request) -> None:
    """Raise Problem 422 for any parameter, on routes that know none."""
    refuse_repeated_parameters(request)
    for name in request.query_params:
        raise Problem(422, f"query.{name[:80]}: accepts no parameters", where=f"query.{name[:80]}")
