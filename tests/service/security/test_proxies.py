from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from service.app import ROUTERS
from service.security.proxies import path_prefix, trusted_proxy
from tests.service.nginx import nginx
from tests.service.processes import Running, running, start, url_of, wait_until


@pytest.mark.parametrize("text", ["", "/sprites", "/my/models", "/a-b_c.d~e/@1", "/v3"])
def test_a_prefix_is_a_path(text: str):
    assert path_prefix(text) == text


@pytest.mark.parametrize(
    "text",
    ["/", "sprites", "/sprites/", "//sprites", "/a?b", "/a#b", "/a b", "/a%20b", "/..", "/a/./b", "http://a/b", "/ä"],
)
def test_what_is_no_path_is_no_prefix(text: str):
    with pytest.raises(ValueError, match="accepts a path like /sprites"):
        path_prefix(text)


def test_no_path_of_the_service_is_a_prefix():
    paths = [route.path for router in ROUTERS for route in router.routes if route.path != "/"]
    for path in [*paths, "/openapi.json", "/docs", "/health", "/v2"]:
        with pytest.raises(ValueError, match="accepts no path of the service itself"):
            path_prefix(re.sub(r"\{.*?\}", "name", path))


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1", "*"])
def test_proxies_are_addresses_and_networks(text: str):
    assert trusted_proxy(text).removesuffix("/32").removesuffix("/128") == text


@pytest.mark.parametrize("text", ["", "proxy.example", "10.0.0.1/8", "10.0.0.256", "10.0.0.1:80"])
def test_what_would_never_match_is_refused(text: str):
    with pytest.raises(ValueError, match="accepts addresses, networks"):
        trusted_proxy(text)


def connections(service: Running) -> set[bytes]:
    """The client's ends of the connections that a service has open."""
    port = f"{service.address[1]:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {client for _, own, client, state, *_ in lines if own.endswith(f":{port}") and state == "01"}


def test_a_page_behind_a_proxy_calls_the_service_below_the_prefix(bundles: Path, tmp_path: Path):
    with (
        running(bundles / "grey", "--root-path", "/sprites") as service,
        nginx(tmp_path, "{}:{}".format(*service.address)) as proxy,
    ):
        start = httpx2.get(f"{proxy}/sprites/", follow_redirects=True)
        assert str(start.url) == f"{proxy}/sprites/docs"
        for address in re.findall(r'(?:src|href)="(docs/[^"]+)"', start.text):
            assert httpx2.get(urljoin(str(start.url), address)).status_code == 200
        (address,) = re.findall(r'url: "(.+?)"', httpx2.get(f"{proxy}/sprites/docs/start.js").text)
        document = httpx2.get(urljoin(str(start.url), address))
        server = urljoin(str(document.url), document.json()["servers"][0]["url"])
        answer = httpx2.get(f"{server}/decode?shape=heart")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")


def test_a_proxy_may_leave_the_prefix_there(bundles: Path, tmp_path: Path):
    with (
        running(bundles / "grey", "--root-path", "/whole") as service,
        nginx(tmp_path, "{}:{}".format(*service.address)) as proxy,
    ):
        assert str(httpx2.get(f"{proxy}/whole/", follow_redirects=True).url) == f"{proxy}/whole/docs"
        for path in ("/decode", "/models", "/v2/health/ready", "/docs/start.js"):
            assert httpx2.get(f"{proxy}/whole{path}").status_code == 200
        body = {"attributes": {"shape": "heart"}}
        assert httpx2.post(f"{proxy}/whole/decode", json=body).headers["Content-Type"] == "image/png"


def test_a_proxy_uses_a_connection_again(bundles: Path, tmp_path: Path):
    with running(bundles / "grey") as service, nginx(tmp_path, "{}:{}".format(*service.address)) as proxy:
        wait_until(lambda: not connections(service))
        used: set[bytes] = set()
        for _ in range(5):
            assert httpx2.get(f"{proxy}/sprites/decode").status_code == 200
            used |= connections(service)
        assert len(used) == 1


@pytest.mark.parametrize(
    ("flags", "client"), [([], "127.0.0.1"), (["--forwarded-allow-ips", "127.0.0.0/8"], "192.0.2.7")]
)
def test_only_a_proxy_that_is_named_is_believed(bundles: Path, tmp_path: Path, flags: list[str], client: str):
    process = start("--model", str(bundles / "grey"), "--port", "0", *flags)
    try:
        upstream = url_of(process).removeprefix("http://")
        with nginx(tmp_path, upstream) as proxy:
            answer = httpx2.get(f"{proxy}/sprites/health/live", headers={"X-Forwarded-For": "192.0.2.7"})
            assert answer.status_code == 200
            line = next(line for line in process.stderr or () if "spritevae.access" in line)
            assert json.loads(line)["client"] == client
    finally:
        process.kill()
        process.communicate()


def test_a_proxy_reaches_a_unix_socket(bundles: Path, tmp_path: Path):
    path = tmp_path / "s.sock"
    flags = ["--uds", str(path), "--root-path", "/sprites", "--forwarded-allow-ips", "*"]
    process = start("--model", str(bundles / "grey"), *flags)
    try:
        wait_until(path.is_socket)
        with nginx(tmp_path, f"unix:{path}") as proxy:
            wait_until(lambda: httpx2.get(f"{proxy}/sprites/health/ready").status_code == 200)
            lines = (json.loads(line) for line in process.stderr or () if "spritevae.access" in line)
            assert next(lines)["client"] == "127.0.0.1"
            assert httpx2.get(f"{proxy}/sprites/decode", headers={"Host": "sprites.example"}).status_code == 200
    finally:
        process.kill()
        process.communicate()


# Draws the frames after the first sixteen only once a file is there.
WAITING = """
import asyncio, os, sys
from service.web import events
draw = events._draw

async def waiting(engine, points, start):
    while start and not os.path.exists(sys.argv[-1]):
        await asyncio.sleep(0.01)
    return await draw(engine, points, start)

events._draw = waiting
from service.main import serve
sys.exit(serve(sys.argv[1:-1]))
"""


@pytest.mark.parametrize("path", ["/sprites", "/plain"])
def test_events_come_through_a_proxy_that_buffers_as_they_are_sent(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr("tests.service.processes.START", WAITING)
    go_on = tmp_path / "go on"
    body, headers = {"keyframes": [{}, {}], "steps": 20}, {"Accept": "text/event-stream"}
    with (
        running(bundles / "grey", str(go_on)) as service,
        nginx(tmp_path, "{}:{}".format(*service.address)) as proxy,
        httpx2.stream("POST", f"{proxy}{path}/interpolate", json=body, headers=headers, timeout=60) as answer,
    ):
        lines = answer.iter_lines()
        frames = 0
        while frames < 16:
            frames += next(lines) == "event: frame"
        go_on.touch()
        assert sum(line == "event: done" for line in lines) == 1
