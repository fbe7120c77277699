"""What browsers are told, and what they let pages of other origins do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.inference.repository import ModelRepository
from service.settings import Settings
from tests.service.toys import wait_until_ready

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"
KEY = "reader-0123456789abcdef"
TOLD = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def opened(settings: Settings, *origins: str) -> Settings:
    """Settings of a service that pages of these origins may use, with a key."""
    return Settings(_env_file=None, model=settings.model[:1], device="cpu", cors_origins=origins, api_keys=KEY)


@pytest.fixture(scope="module")
def to_friends(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(opened(settings, FRIEND)), raise_server_exceptions=False) as client:
        yield wait_until_ready(client)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/models", 200),
        ("GET", "/metrics", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v2", 200),
        ("GET", "/", 307),
        ("GET", "/docs/swagger-ui.css", 200),
        ("GET", "/nothing", 404),
        ("GET", "/models/nothing", 404),
        ("PUT", "/models", 405),
        ("POST", "/encode", 415),
        ("POST", "/edit", 415),
        ("POST", "/v2/repository/models/grey/load", 403),
        ("HEAD", "/models", 200),
        ("OPTIONS", "/models", 405),
    ],
)
def test_every_answer_tells_browsers_to_do_nothing_with_it(client: TestClient, method: str, path: str, status: int):
    answer = client.request(method, path, follow_redirects=False)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in TOLD} == TOLD


def test_other_sites_may_show_what_is_decoded(client: TestClient):
    for answer in (client.get("/decode"), client.post("/decode", json={"attributes": {}}), client.head("/decode")):
        assert {name: answer.headers[name] for name in TOLD} == TOLD | {"Cross-Origin-Resource-Policy": "cross-origin"}


def test_a_bug_is_answered_with_them_too(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(ModelRepository, "engine", fail)
    answer = client.get("/models/grey")
    assert answer.status_code == 500
    assert {name: answer.headers[name] for name in TOLD} == TOLD


def test_the_documentation_runs_only_scripts_of_this_service(client: TestClient):
    policy = client.get("/docs").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"


def test_no_origin_is_let_in_unless_it_is_named(client: TestClient):
    for method in ("GET", "POST"):
        answer = client.request(method, "/decode", headers={"Origin": STRANGER})
        assert not [name for name in answer.headers if name.startswith("access-control")]
    asked = {"Origin": STRANGER, "Access-Control-Request-Method": "POST"}
    answer = client.options("/decode", headers=asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_named_origin_may_read_answers_and_their_headers(to_friends: TestClient):
    answer = to_friends.get("/decode", headers={"Origin": FRIEND, "X-API-Key": KEY})
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Origin" in answer.headers["Vary"]
    exposed = set(answer.headers["Access-Control-Expose-Headers"].lower().split(", "))
    ours = {name for name in answer.headers if name.startswith("x-") and name != "x-content-type-options"}
    assert exposed >= ours | {"etag", "server-timing", "retry-after", "x-sheet-columns", "x-mixing"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_named_origin_may_read_why_it_is_refused(to_friends: TestClient):
    answer = to_friends.get("/decode", headers={"Origin": FRIEND})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, FRIEND)


def test_another_origin_may_not(to_friends: TestClient):
    for origin in (STRANGER, "null", FRIEND.replace("https", "http"), f"{FRIEND}:8000", f"{FRIEND}.stranger.example"):
        answer = to_friends.get("/decode", headers={"Origin": origin, "X-API-Key": KEY})
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("sent", ["content-type, x-api-key", "authorization, if-none-match", "x-request-timeout-ms"])
def test_a_browser_asks_for_leave_without_a_key(to_friends: TestClient, sent: str):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": sent}
    answer = to_friends.options("/decode", headers={"Origin": FRIEND, **asked})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, FRIEND)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert to_friends.options("/decode", headers={"Origin": STRANGER, **asked}).status_code == 400


@pytest.mark.parametrize("more", [{"Method": "DELETE"}, {"Headers": "x-else"}])
def test_a_browser_gets_no_leave_for_what_is_not_offered(to_friends: TestClient, more: dict[str, str]):
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    asked |= {f"Access-Control-Request-{name}": value for name, value in more.items()}
    assert to_friends.options("/decode", headers=asked).status_code == 400


def test_all_origins_may_be_let_in_but_never_with_cookies(settings: Settings):
    with TestClient(create_app(opened(settings, "*"))) as client:
        answer = wait_until_ready(client).get(
            "/models", headers={"Origin": STRANGER, "Cookie": "a=b", "X-API-Key": KEY}
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
