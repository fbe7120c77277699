from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import AsyncMock

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from service.app import create_app
from service.batching.scheduler import Scheduler
from service.inference.repository import ModelRepository
from service.middleware.admission import SUMMARY_SECONDS, AdmissionControl, AdmissionMiddleware
from service.middleware.bytes_in_hand import BytesInHand
from service.middleware.in_hand import InHandMiddleware
from service.settings import Settings
from tests.service.toys import wait_until_ready

ONE = {"attributes": {"scale": 2}}


def scheduler_of(client: TestClient) -> Scheduler:
    app: Any = client.app
    engine = app.service.repository.default_engine
    scheduler: Scheduler = engine.scheduler
    return scheduler


@pytest.fixture
def full(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A client of a service whose default model's queue has no room."""
    monkeypatch.setattr(scheduler_of(client), "limit", 0)
    return client


def test_more_requests_than_may_be_in_hand_are_refused_and_health_still_answers(settings: Settings):
    inside, go = threading.Semaphore(0), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        inside.release()
        await asyncio.to_thread(go.wait, 10)
        await Response("done")(scope, receive, send)

    app, admission = Starlette(), AdmissionControl(ModelRepository(settings), 2)
    app.mount("/", slow)
    app.add_middleware(InHandMiddleware, admission=admission, in_hand=BytesInHand(2**20))
    app.add_middleware(AdmissionMiddleware, admission=admission, cors=lambda app: app)
    with TestClient(app) as client, ThreadPoolExecutor(3) as pool:
        held = [pool.submit(client.get, "/decode") for _ in range(2)]
        for _ in held:
            inside.acquire()
        refused = client.get("/decode")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["limit"] == 2
        assert "error" in client.post("/v2/models/grey/infer").json()
        health = pool.submit(client.get, "/health/live")
        inside.acquire()
        go.set()
        assert [each.result().status_code for each in [*held, health]] == [200] * 3
        assert client.get("/decode").status_code == 200


@pytest.mark.parametrize("path", ["/decode", "/encode", "/edit", "/interpolate"])
def test_a_full_queue_refuses_what_waits_for_it_whatever_it_says(full: TestClient, path: str):
    refused = full.post(path, content=b"not looked at", headers={"X-Request-ID": "mine"})
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["X-Request-ID"] == "mine"
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.json()["detail"] == "there is no room for 1 more now; the queue holds 0 images"
    assert refused.json()["limit"] == 0


def test_a_full_queue_refuses_no_other_models_requests_and_none_that_need_no_model(full: TestClient):
    assert full.get("/decode", params={"model": "colour"}).status_code == 200
    assert full.get("/models").status_code == 200
    assert full.post("/decode?columns=1", json=ONE).status_code == 429, "read first, as it might be for another model"


def test_refusals_are_counted_and_logged_together(full: TestClient, caplog: pytest.LogCaptureFixture):
    def counted() -> float:
        line = 'spritevae_request_seconds_count{method="POST",route="/decode",status="429"}'
        found = [each for each in full.get("/metrics").text.splitlines() if each.startswith(line)]
        return float(found[0].split()[-1]) if found else 0.0

    before = counted()
    with caplog.at_level(logging.INFO, "spritevae.access"):
        for _ in range(3):
            full.post("/decode", json=ONE)
        time.sleep(SUMMARY_SECONDS + 0.2)
    assert counted() == before + 3
    told = [vars(record) for record in caplog.records if record.message == "requests refused"]
    assert sum(each["requests"] for each in told) >= 3
    assert len(told) <= 2
    assert told[0]["status"] == 429


def test_probes_take_no_place(settings: Settings):
    admission, places = AdmissionControl(ModelRepository(settings), 1), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        places.append(admission.in_flight)
        await Response()(scope, receive, send)

    holding = InHandMiddleware(app, admission, BytesInHand(2**20))
    client = TestClient(AdmissionMiddleware(holding, admission, cors=lambda app: app))
    for path in ("/health/live", "/v2/health/ready", "/decode"):
        client.get(path)
    assert places == [0, 0, 1]
    assert admission.in_flight == 0


def test_every_request_releases_its_reservation(client: TestClient):
    scheduler = scheduler_of(client)
    for body in (ONE, {"attributes": {"scale": 99}}, {"attributes": [ONE["attributes"]] * 3}):
        client.post("/decode", json=body)
    client.post("/decode", content=b"{")
    assert scheduler.reserved == 0


def test_a_request_takes_room_once_its_body_is_there(client: TestClient):
    app: Any = client.app
    scheduler, seen = scheduler_of(client), []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.request", "body": b"}"}]

    async def receive() -> Any:
        return parts.pop(0)

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            await receive()
            seen.append(scheduler.reserved)

    middleware = AdmissionMiddleware(read, app.service.admission, cors=lambda app: app)
    scope = {"type": "http", "method": "POST", "path": "/decode", "query_string": b"", "headers": []}
    asyncio.run(middleware(scope, receive, AsyncMock()))
    assert seen == [0, 1]
    assert scheduler.reserved == 0


def test_scripts_of_other_origins_may_read_refusals(settings: Settings):
    origin = "https://example.com"
    app = create_app(settings.model_copy(update={"cors_origins": (origin,)}))
    with TestClient(app) as client:
        wait_until_ready(client)
        scheduler_of(client).limit = 0
        refused = client.post("/decode", json=ONE, headers={"Origin": origin})
        assert refused.status_code == 429
        assert refused.headers["Access-Control-Allow-Origin"] == origin
        assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


def test_rejections_know_a_path_with_its_prefix(settings: Settings):
    full = AdmissionControl(ModelRepository(settings), 0, "/sprites")

    def rejected(path: str) -> bytes:
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}

        async def respond() -> bytes:
            return full.raw_response(scope, ())

        return asyncio.run(respond())

    for prefix in ("", "/sprites"):
        assert rejected(f"{prefix}/health/live") == b"", "probes are answered"
        assert rejected(f"{prefix}/models").startswith(b"HTTP/1.1 503")
        assert b'"error"' in rejected(f"{prefix}/v2/models/grey")
