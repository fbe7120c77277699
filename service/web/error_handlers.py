"""Error handlers: which problem answers an exception, whatever raised it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from attributes import AttributeValueError
from service.batching.problems import NOT_RUN, not_run
from service.problems import Problem, internal_error, invalid, problem_response, wrong_value
from service.web.scope import METHODS

HANDLED = (
    HTTPException,
    RequestValidationError,
    ValidationError,
    AttributeValueError,
    RecursionError,
    ClientDisconnect,
    *NOT_RUN,
)


def problem_of(error: Exception) -> HTTPException | None:
    """The problem that answers an exception; None for a fault of the service, which must be logged."""
    match error:
        case HTTPException():
            return error
        case RequestValidationError() | ValidationError():
            return invalid(error)
        case AttributeValueError():
            return wrong_value(error)
        case RecursionError():
            return Problem(400, "the request is nested too deeply")
        case ClientDisconnect():
            return Problem(400, "the client went away before it had its answer")
    return not_run(error) if isinstance(error, NOT_RUN) else None


def handle_errors(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            error.headers = {"Allow": ", ".join(method for method in METHODS if _allows(app, request, method))}
        if error.status_code == HTTPStatus.NOT_FOUND and not isinstance(error, Problem):
            path, prefix = request.scope["path"], request.scope.get("root_path", "")
            error.detail = f"there is nothing at {path:.200}; {prefix}/docs lists what there is"
        return problem_response(error, request.scope["path"])

    def on_error(request: Request, error: Exception) -> Response:
        return problem_response(problem_of(error) or internal_error(), request.scope["path"])

    for kind in HANDLED:
        app.add_exception_handler(kind, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_error)


def _allows(app: FastAPI, request: Request, method: str) -> bool:
    """Whether the path of a request has a route for that method. Several routes may share the path."""
    scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)
