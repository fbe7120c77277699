"""Direct routes: FastAPI documents them, but its dependency machinery, which takes longer than they do, is not used."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import let_go, problem_response
from service.web.error_handlers import problem_of
from service.web.queries import many_parameters, read_query, refuse_parameters
from service.web.scope import PROBES, is_open

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """A route whose endpoint takes the request and, if it has such parameters, ``query`` and those of its path.

    FastAPI makes the OpenAPI of the signature. ``query`` is read by ``read_query``.
    """

    def get_route_handler(self) -> Handler:
        """The endpoint as a function of the request alone. What is open to all is answered whatever its query says."""
        endpoint: Handler = self.endpoint
        return endpoint if is_open(self.path) else _handler(self.endpoint)


def _handler(endpoint: Callable[..., Awaitable[Response]]) -> Handler:
    schema: type[BaseModel] | None = typing.get_type_hints(endpoint).get("query")
    in_path = set(inspect.signature(endpoint).parameters) - {"request", "query"}
    no_query = schema() if schema else None  # made once, as most requests have none

    async def handle(request: Request) -> Response:
        if schema is None:
            refuse_parameters(request)
            return await endpoint(request)
        query = read_query(request, schema) if request.scope["query_string"] else no_query
        if not in_path:
            return await endpoint(request, query=query)
        return await endpoint(request, query=query, **{name: request.path_params[name] for name in in_path})

    return handle


class ExactPaths:
    """ASGI app: calls the handlers of direct routes by method and path; the rest is for ``app``, with its router."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self.app = app
        self._routes = {
            (method, route.path): (route, route.get_route_handler())
            for router in routers
            for route in router.routes
            if isinstance(route, DirectRoute) and "{" not in route.path
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] not in PROBES and (problem := many_parameters(scope["query_string"])):
            await problem_response(problem, scope["path"])(scope, receive, send)
            return
        found = self._routes.get((scope["method"], scope["path"]))
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["route"], handler = found  # as the router does, for logs, metrics and traces
        try:
            response = await handler(Request(scope, receive, send))
        except Exception as error:
            answer = problem_of(error)
            if answer is None:
                raise
            let_go(error)
            response = problem_response(answer, scope["path"])
        await response(scope, receive, send)
