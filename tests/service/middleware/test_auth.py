"""Who is answered: hosts and API keys, through the service and its server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from service.web.scope import PROBES
from tests.service.processes import Running, running
from tests.service.toys import toy_bundle, wait_until_ready
from tests.service.web.test_error_handlers import check_problem

READER, KEEPER = "reader-0123456789abcdef", "keeper-0123456789abcdef"
DECODE = b'{"attributes": {"scale": 1}}'
JSON = {"Content-Type": "application/json"}
ADMIN_PATHS = ("/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload")


def guarded_settings(bundle: Path, **more: Any) -> Settings:
    """Settings of a service that lets a reader read and a keeper change models."""
    given = {"admin": True, "api_keys": f"{READER},{KEEPER}:admin", **more}
    return Settings(_env_file=None, model=(str(bundle),), device="cpu", **given)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_bundle(tmp_path_factory.mktemp("guarded") / "toy")


@pytest.fixture(scope="module")
def guarded(bundle: Path) -> Iterator[TestClient]:
    """A client without a key of a service that wants one."""
    with TestClient(create_app(guarded_settings(bundle)), raise_server_exceptions=False) as client:
        yield wait_until_ready(client)


def operations(client: TestClient) -> list[tuple[str, str]]:
    """Method and path of every route that is documented."""
    paths = client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def ask(client: TestClient, method: str, path: str, **headers: str) -> Any:
    """The answer of a route, with ``toy`` for its model."""
    return client.request(method, path.replace("{model}", "toy").replace("{version}", "1"), headers=headers)


def test_every_route_but_probes_needs_a_key(guarded: TestClient):
    for method, path in operations(guarded):
        answer = ask(guarded, method, path)
        if path in PROBES:
            assert answer.status_code == 200, path
            continue
        assert answer.status_code == 401, path
        check_problem(answer)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert ("error" in answer.json()) == path.startswith("/v2")


def test_a_wrong_key_is_told_from_none(guarded: TestClient):
    for method, path in operations(guarded):
        if path not in PROBES:
            answer = ask(guarded, method, path, Authorization=f"Bearer {READER}x")
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


def test_a_key_that_reads_opens_all_but_what_administers(guarded: TestClient):
    for method, path in operations(guarded):
        answer = ask(guarded, method, path, Authorization=f"Bearer {READER}")
        if path in ADMIN_PATHS:
            check_problem(answer)
            assert answer.status_code == 403
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="admin"'
        else:
            assert answer.status_code not in (401, 403), path
    assert guarded.get("/models/toy", headers={"X-API-Key": READER}).status_code == 200


def test_a_key_that_administers_opens_all(guarded: TestClient):
    found = operations(guarded)
    assert {path for _, path in found} >= set(ADMIN_PATHS)
    for method, path in reversed(found):  # unload before load
        assert ask(guarded, method, path, **{"X-API-Key": KEEPER}).status_code not in (401, 403), path
    assert guarded.get("/decode", headers={"X-API-Key": KEEPER}).status_code == 200


def test_a_key_administers_nothing_unless_that_is_enabled(bundle: Path):
    with TestClient(create_app(guarded_settings(bundle, admin=False)), headers={"X-API-Key": KEEPER}) as client:
        wait_until_ready(client)
        for path in ADMIN_PATHS:
            answer = ask(client, "POST", path)
            assert answer.status_code == 403
            assert "--admin" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {READER}"},
        {"Authorization": f"bearer  {READER} "},
        {"X-API-Key": READER},
        {"X-API-Key": READER, "Authorization": "Basic dXNlcjpwYXNzd29yZA=="},
    ],
)
def test_a_key_is_given_in_one_of_two_headers(guarded: TestClient, headers: dict[str, str]):
    assert guarded.get("/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": READER},
        {"Authorization": f"Basic {READER}"},
        {"Authorization": f"Bearer{READER}"},
        {"Authorization": "Bearer "},
        {"X-API-Key": f"Bearer {READER}"},
        {"X-API-Key": READER.upper()},
        {"X-API-Key": READER[:-1]},
        {"Cookie": f"X-API-Key={READER}"},
    ],
)
def test_a_key_that_is_given_otherwise_is_none(guarded: TestClient, headers: dict[str, str]):
    assert guarded.get("/models", headers=headers).status_code == 401


def test_a_key_in_an_address_is_none(guarded: TestClient):
    for query in (f"api_key={READER}", f"access_token={READER}", f"X-API-Key={READER}"):
        assert guarded.get(f"/models?{query}").status_code == 401


def test_the_express_lane_asks_for_a_key_too(guarded: TestClient):
    image = guarded.post("/decode", content=DECODE, headers={**JSON, "X-API-Key": READER})
    assert image.status_code == 200
    assert guarded.post("/decode", content=DECODE, headers=JSON).status_code == 401
    png = {"Content-Type": "image/png"}
    assert guarded.post("/encode", content=image.content, headers={**png, "X-API-Key": READER}).status_code == 200
    assert guarded.post("/encode", content=image.content, headers=png).status_code == 401


def test_what_needs_a_key_is_kept_by_no_shared_cache(client: TestClient, guarded: TestClient):
    assert client.get("/decode").headers["Cache-Control"].startswith("public")
    answer = guarded.get("/decode", headers={"X-API-Key": READER})
    assert answer.headers["Cache-Control"].startswith("private")
    again = guarded.get("/decode", headers={"X-API-Key": READER, "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, answer.headers["Cache-Control"])
    assert guarded.get("/decode", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 401


def test_the_documentation_says_how_a_key_is_given_where_one_is_needed(client: TestClient, guarded: TestClient):
    assert "security" not in client.get("/openapi.json").json()
    document = guarded.get("/openapi.json").json()
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    assert document["security"] == [{"bearer": []}, {"header": []}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation.get("security") == ([] if path in PROBES else None)


def test_without_keys_a_key_is_not_looked_at(client: TestClient):
    assert client.get("/models", headers={"X-API-Key": "whatever"}).status_code == 200


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[Running]:
    """A server on a loopback address that wants no key."""
    with running(bundle) as service:
        yield service


def status(address: tuple[str, int], request: bytes) -> int:
    """Status of the answer to a request as it is sent, on a connection of its own."""
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(request)
        return int(connection.recv(1000).split()[1])


def get(address: tuple[str, int], path: str, host: str) -> int:
    """Status of a path that is asked for of a host."""
    return status(address, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "LOCALHOST.", "app.localhost", "127.0.0.1:8000", "[::1]"])
def test_this_machines_names_are_answered_over_a_loopback_address(server: Running, host: str):
    assert get(server.address, "/models", host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "localhost.rebound.example",
        "10.0.0.1",
        "0.0.0.0",
        "",
        "[::1].rebound.example",
        "localhost:rebound.example",
        "127.0.0.1:80.rebound.example",
    ],
)
def test_a_name_that_was_made_to_mean_this_machine_is_not(server: Running, host: str):
    assert get(server.address, "/models", host) == 400
    assert get(server.address, "/docs", host) == 400
    for probe in PROBES:
        assert get(server.address, probe, host) == 200


def test_a_refused_host_is_told_what_is_accepted(server: Running):
    answer = httpx2.get(f"{server.url}/models", headers={"Host": "rebound.example"})
    check_problem(answer)
    assert answer.json()["detail"].startswith("Host: got 'rebound.example'; accepts localhost and its addresses")
    assert status(server.address, b"GET /models HTTP/1.0\r\n\r\n") == 400


def test_allowed_hosts_are_answered_and_no_others(bundle: Path):
    flags = ("--allowed-hosts", "Sprites.example,*.sprites.example", "--allowed-hosts", "10.0.0.1")
    with running(bundle, *flags) as service:
        refused = httpx2.get(f"{service.url}/models", headers={"Host": "sprite.example"})
        assert refused.json()["detail"] == "Host: got 'sprite.example'; accepts the hosts of --allowed-hosts"
        assert "sprites.example" not in refused.text
        for host in ("sprites.example", "www.sprites.example:80", "10.0.0.1:80"):
            assert get(service.address, "/models", host) == 200, host
        for host in ("localhost", "127.0.0.1", "badsprites.example"):
            assert get(service.address, "/models", host) == 400, host
            assert get(service.address, "/health/ready", host) == 200, host


def test_an_app_elsewhere_than_on_loopback_answers_any_host(client: TestClient):
    assert client.get("/models", headers={"Host": "anything.example"}).status_code == 200
    assert client.get("/models", headers={"Host": "[::1].anything.example"}).status_code == 400


@pytest.fixture(scope="module")
def guarded_server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that wants a key, two of which are in a file."""
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"{READER}\n{KEEPER}:admin\n")
    with running(bundle, "--api-keys-file", str(file)) as service:
        yield service


@pytest.mark.parametrize(
    "path",
    [
        "/health/../models",
        "/health/live/../../models",
        "/health/live%00/../../models",
        "//models",
        "/docs/../models",
        "/docs/%2e%2e/models",
        "/docs//models",
        "/%6dodels",
        "/models?/health/live",
        "/models;/docs/",
        "http://localhost/models",
    ],
)
def test_no_spelling_of_a_path_goes_around_the_key(guarded_server: Running, path: str):
    assert get(guarded_server.address, path, "localhost") in (400, 401, 404)
