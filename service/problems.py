"""Errors as RFC 9457 problem+json, whatever raised them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from attributes import AttributeValueError
from service.batching.scheduler import DeadlinePassed, QueueClosed, QueueFull

MEDIA_TYPE = "application/problem+json"
NOT_RUN = (QueueFull, QueueClosed, DeadlinePassed)
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


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
    said = {"type": "about:blank", "title": title, "status": problem.status_code, "detail": problem.detail}
    return said | getattr(problem, "members", {})


def problem_response(problem: HTTPException, path: str = "") -> Response:
    """The problem+json answer of an error to a request for ``path``."""
    said = document(problem)
    if path == "/v2" or path.startswith("/v2/"):
        said["error"] = problem.detail  # which clients of the Open Inference Protocol read
    # ASCII only: an echoed lone surrogate has no UTF-8.
    content = json.dumps(said, default=str)
    return Response(content, problem.status_code, problem.headers, MEDIA_TYPE)


def wrong_value(error: AttributeValueError, where: str = "") -> Problem:
    """422 for a value that an attribute does not accept, at ``where`` in the request."""
    path = where if error.attribute == "attributes" and where else f"{where}.{error.attribute}".lstrip(".")
    return Problem(
        422,
        f"{path}: got {error.got}; accepts {error.accepted}",
        where=path,
        attribute=error.attribute,
        got=error.got,
        accepted=error.accepted,
    )


def bug() -> Problem:
    """The answer where the service is at fault."""
    return Problem(500, "an error of the service; its log has it")


def too_much(status: int, detail: str, seconds: int, limit: int) -> Problem:
    """The answer to a request that is one too many for a limit, for so many seconds."""
    return Problem(status, detail, headers={"Retry-After": str(seconds)}, limit=limit)


def not_run(error: Exception) -> Problem:
    """The answer to a request that its model's queue did not run."""
    if isinstance(error, QueueFull):
        return too_much(429, str(error), error.seconds, error.limit)
    if isinstance(error, DeadlinePassed):
        return Problem(504, "the time that X-Request-Timeout-Ms gives was over before it was run")
    return Problem(503, "the service ends", headers={"Retry-After": "1"})


@contextmanager
def located(where: str) -> Iterator[None]:
    """Wrong attribute values found inside are answered as being at ``where`` in the request."""
    try:
        yield
    except AttributeValueError as error:
        raise wrong_value(error, where) from None


def invalid(error: ValidationError | RequestValidationError) -> Problem:
    """422 that lists every place where a request does not fit its schema, and why."""
    errors = [
        {"where": ".".join(str(part) for part in found["loc"]) or "body", "message": found["msg"]}
        for found in error.errors()[:20]
    ]
    return Problem(422, "; ".join(f"{e['where']}: {e['message']}" for e in errors), errors=errors)


def _serves(app: FastAPI, request: Request, method: str) -> bool:
    scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def handle_errors(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    def answer(request: Request, problem: HTTPException) -> Response:
        return problem_response(problem, request.scope["path"])

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # routes share paths, and each knows its own methods
            error.headers = {"Allow": ", ".join(method for method in METHODS if _serves(app, request, method))}
        if error.status_code == HTTPStatus.NOT_FOUND and not isinstance(error, Problem):
            error.detail = f"there is nothing at {request.scope['path']:.200}; /docs lists what there is"
        return answer(request, error)

    def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError | ValidationError)
        return answer(request, invalid(error))

    def on_value(request: Request, error: Exception) -> Response:
        assert isinstance(error, AttributeValueError)
        return answer(request, wrong_value(error))

    def on_depth(request: Request, error: Exception) -> Response:
        return answer(request, Problem(400, "the request is nested too deeply"))

    def on_disconnect(request: Request, error: Exception) -> Response:
        return answer(request, Problem(400, "the client went away before it had its answer"))

    def on_queue(request: Request, error: Exception) -> Response:
        return answer(request, not_run(error))

    def on_bug(request: Request, error: Exception) -> Response:
        return answer(request, bug())

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(ValidationError, on_invalid)
    app.add_exception_handler(AttributeValueError, on_value)
    app.add_exception_handler(RecursionError, on_depth)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    for kind in NOT_RUN:
        app.add_exception_handler(kind, on_queue)
    app.add_exception_handler(Exception, on_bug)
