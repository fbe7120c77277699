from __future__ import annotations

import gc
import weakref
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from starlette import requests
from starlette.routing import Match
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from service.app import ROUTERS
from service.inference.repository import ModelRepository
from service.problems import Problem
from service.threads import in_thread
from service.web.error_handlers import handle_errors
from service.web.request_schemas import SheetQuery
from service.web.routing import DirectRoute, ExactPaths
from service.web.scope import PROBES

router = APIRouter(route_class=DirectRoute)


@router.get("/text")
async def text(request: Request) -> Response:
    return Response(f"{request.method} {request.scope['path']}")


@router.post("/text")
async def echo(request: Request, query: Annotated[SheetQuery, Query()]) -> Response:
    return Response(f"{query.columns} {(await request.body()).decode()}")


@router.get("/items/{name}")
async def item(request: Request, name: str, query: Annotated[SheetQuery, Query()]) -> Response:
    return Response(f"{name} {query.columns}")


@router.get("/items/exact")
async def exact_item(request: Request) -> Response:
    return Response("exact")


@router.get("/problem")
async def problem(request: Request) -> Response:
    raise Problem(409, "as it is", where="here")


@router.get("/bug")
async def bug(request: Request) -> Response:
    raise ZeroDivisionError


class Body:
    """Stands for what a request holds."""


held: list[weakref.ref[Body]] = []


@router.post("/refused")
async def refuse(request: Request) -> Response:
    """Raise a problem of an error, in a thread, where there is a body."""
    body = Body()
    held.append(weakref.ref(body))

    def fail() -> None:
        assert body
        try:
            raise ValueError
        except ValueError as error:
            raise Problem(413, "too large") from error

    await in_thread(fail)
    return Response()


@router.post("/refused/{name}")
async def refuse_by_name(request: Request) -> Response:
    return await refuse(request)


def routed() -> FastAPI:
    """The routes with FastAPI's router alone."""
    app = FastAPI(redirect_slashes=False)
    handle_errors(app)
    app.include_router(router)
    return app


@pytest.fixture(scope="module")
def by_router() -> TestClient:
    return TestClient(routed(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def by_path() -> TestClient:
    return TestClient(ExactPaths(routed(), [router]), raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/refused", "/refused/by-the-router"])
def test_the_body_of_a_refused_request_is_let_go_without_the_garbage_collector(by_path: TestClient, path: str):
    by_path.post(path)  # what is made once
    gc.collect()
    gc.disable()
    try:
        assert by_path.post(path).status_code == 413
        assert held[-1]() is None
    finally:
        gc.enable()


def answer(response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    return response.status_code, sorted(response.headers.items()), response.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/text", 200),
        ("GET", "/text?", 200),
        ("GET", "/text?x=1", 422),
        ("GET", "/text?x=1&x=2", 422),
        ("HEAD", "/text", 405),
        ("PUT", "/text", 405),
        ("BREW", "/text", 405),
        ("GET", "/text/", 404),
        ("GET", "/Text", 404),
        ("GET", "/%74ext", 200),
        ("GET", "//text", 404),
        ("GET", "/nothing", 404),
        ("POST", "/text", 200),
        ("POST", "/text?columns=3", 200),
        ("POST", "/text?columns=0", 422),
        ("POST", "/text?columns=3&columns=3", 422),
        ("POST", "/text?colums=3", 422),
        ("GET", "/items/a?columns=2", 200),
        ("GET", "/items/a%2fb", 404),
        ("GET", "/items/a?x=1", 422),
        ("GET", "/items/{name}", 200),
        ("GET", "/problem", 409),
        ("OPTIONS", "/problem", 405),
    ],
)
def test_an_exact_path_is_answered_as_the_router_answers_it(
    by_path: TestClient, by_router: TestClient, method: str, path: str, status: int
):
    exact, expected = (client.request(method, path, content=b"body") for client in (by_path, by_router))
    assert answer(exact) == answer(expected)
    assert exact.status_code == status
    assert (exact.headers.get("Allow") is not None) is (status == 405)


def test_an_exact_path_comes_before_a_pattern(by_path: TestClient):
    assert by_path.get("/items/exact").text == "exact"
    assert by_path.get("/items/other").text == "other None"


MANY = "&".join(f"{index}=" for index in range(5000))


@pytest.fixture
def _no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise AssertionError("the query is parsed")

    monkeypatch.setattr(requests, "QueryParams", fail)


@pytest.mark.usefixtures("_no_parsing")
@pytest.mark.parametrize("path", sorted(PROBES))
def test_a_probe_is_answered_without_a_look_at_its_query(client: TestClient, path: str):
    assert client.get(f"{path}?{MANY}").status_code == 200


@pytest.mark.usefixtures("_no_parsing")
@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/index.html", "/openapi.json", "/decode", "/models/grey", "/v2/models/grey", "/no"]
)
def test_too_many_parameters_are_refused_before_they_are_parsed(client: TestClient, path: str):
    assert client.get(f"{path}?{MANY}").status_code == 414


def test_a_wrong_method_lists_all_that_the_path_has(by_path: TestClient):
    assert by_path.delete("/text").headers["Allow"] == "GET, HEAD, POST"


def test_a_bug_in_a_handler_is_raised():
    for app in (routed(), ExactPaths(routed(), [router])):
        with pytest.raises(ZeroDivisionError):
            TestClient(app).get("/bug")


@pytest.mark.parametrize("path", ["/decode", "/models/grey"])
def test_a_bug_of_the_service_is_a_500_and_is_raised(client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str):
    """The first path is exact, the second is for the router."""

    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ModelRepository, "engine", fail)
    assert client.get(path).status_code == 500
    with pytest.raises(ZeroDivisionError):
        TestClient(client.app).get(path)


def test_the_route_found_is_noted_for_metrics_and_traces():
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the path is exact")

    exact = ExactPaths(app, [router])

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await exact(scope, receive, send)

    TestClient(noting).get("/text")
    assert scopes[0]["route"].path == "/text"


@pytest.mark.parametrize("path", ["/decode", "/models", "/health/live", "/v2"])
def test_head_is_answered_as_get(client: TestClient, path: str):
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


def test_all_routes_are_direct():
    for each in ROUTERS:
        for route in each.routes:
            assert isinstance(route, DirectRoute), route


def test_no_exact_path_hides_a_route_that_the_router_would_find_first():
    """A pattern declared before an exact path that it matches would win in the router only."""
    routes = [route for each in ROUTERS for route in each.routes if isinstance(route, DirectRoute)]
    for route in routes:
        if "{" not in route.path:
            for method in route.methods:
                scope = {"type": "http", "method": method, "path": route.path, "headers": []}
                first = next(other for other in routes if other.matches(scope)[0] is Match.FULL)
                assert first is route, route.path
