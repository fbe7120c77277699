"""Problems: what the service answers errors with (RFC 9457). Every layer raises them, so they lie below all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from attributes import AttributeValueError

MEDIA_TYPE = "application/problem+json"
MAX_LISTED_ERRORS = 20
# Letters of a request that an error repeats.
MAX_SHOWN = 200


class ProblemDetails(BaseModel):
    """What every error answers with (RFC 9457); some add members that say what was got and what is accepted."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Problem(HTTPException):
    """An error for the client; ``members`` are added to the problem document."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(status, detail, headers)
        self.members = members


def document(problem: HTTPException) -> dict[str, Any]:
    """The problem document of an error."""
    title = HTTPStatus(problem.status_code).phrase
    fields = {"type": "about:blank", "title": title, "status": problem.status_code, "detail": problem.detail}
    return fields | getattr(problem, "members", {})


def problem_response(problem: HTTPException, path: str = "") -> Response:
    """The problem+json response to a request for ``path``."""
    fields = document(problem)
    if path == "/v2" or path.startswith("/v2/"):
        fields["error"] = problem.detail  # clients of the Open Inference Protocol read this member
    return Response(_as_json(fields), problem.status_code, problem.headers, MEDIA_TYPE)


def _as_json(fields: dict[str, Any]) -> bytes:
    try:
        content = msgspec.json.encode(fields, enc_hook=str)
    except UnicodeEncodeError:  # a message repeats a lone surrogate of the request, which has no UTF-8
        readable = {key: _without_surrogates(value) for key, value in fields.items()}
        content = msgspec.json.encode(readable, enc_hook=str)
    return msgspec.json.format(content, indent=0)  # one line with spaces, for people who read it in a terminal


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def let_go(error: BaseException) -> None:
    """Forget where an error that is answered came from: its frames hold the body of the request, and it itself.

    The garbage collector, which runs seldom, would find them after hundreds of megabytes.
    """
    chain: list[BaseException | None] = [error]
    while chain:
        if (each := chain.pop()) is not None and each.__traceback__:
            each.__traceback__ = None
            chain += [each.__cause__, each.__context__]


def internal_error() -> Problem:
    """The 500 for a fault of the service itself; it tells nothing about it."""
    return Problem(500, "an error of the service; its log has it")


def over_limit(status: int, detail: str, retry_after: int, limit: int) -> Problem:
    """The 429 or 503 for a request beyond a ``limit``; ``retry_after`` is in seconds."""
    return Problem(status, detail, headers={"Retry-After": str(retry_after)}, limit=limit)


def wrong_value(error: AttributeValueError, where: str = "") -> Problem:
    """The 422 for a value that an attribute does not accept, at ``where`` in the request."""
    path = where if error.attribute == "attributes" and where else f"{where}.{error.attribute}".lstrip(".")
    return Problem(
        422,
        f"{path}: got {error.got}; accepts {error.accepted}",
        where=path,
        attribute=error.attribute,
        got=error.got,
        accepted=error.accepted,
    )


@contextmanager
def located(where: str) -> Iterator[None]:
    """Turn an AttributeValueError raised inside into the Problem 422 at ``where`` in the request."""
    try:
        yield
    except AttributeValueError as error:
        raise wrong_value(error, where) from None


def invalid(error: ValidationError | RequestValidationError, prefix: tuple[str, ...] = ()) -> Problem:
    """The 422 that lists each place where a request does not fit its schema, and why."""
    errors = [
        {"where": ".".join(map(str, (*prefix, *found["loc"])))[:MAX_SHOWN] or "body", "message": found["msg"]}
        for found in error.errors()[:MAX_LISTED_ERRORS]
    ]
    return Problem(422, "; ".join(f"{each['where']}: {each['message']}" for each in errors), errors=errors)
