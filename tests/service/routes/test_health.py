from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from export.bundle import Float32
from service.app import create_app
from service.inference.model import Model
from service.inference.repository import ModelRepository
from service.settings import Settings
from tests.service.toys import toy_bundle, wait_until_ready


def test_live_and_not_ready_while_models_are_loading(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    go, load = threading.Event(), ModelRepository.load

    async def slow_load(store: ModelRepository) -> None:
        assert await asyncio.to_thread(go.wait, 60)
        await load(store)

    monkeypatch.setattr(ModelRepository, "load", slow_load)
    settings = Settings(_env_file=None, model=(str(bundles / "grey"),), device="cpu")
    with TestClient(create_app(settings)) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        for path in ("/health/ready", "/decode", "/models"):
            response = client.get(path)
            assert response.status_code == 503
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["Retry-After"]
        go.set()
        wait_until_ready(client)
        assert client.get("/decode").status_code == 200


def test_a_model_that_does_not_reproduce_its_golden_vectors_never_gets_ready(tmp_path: Path):
    failed = threading.Event()
    failures: list[Exception] = []

    def on_failure(error: Exception) -> None:
        failures.append(error)
        failed.set()

    bundle = toy_bundle(tmp_path / "wrong", golden_error=0.01)
    settings = Settings(_env_file=None, model=(str(bundle),), device="cpu")
    with TestClient(create_app(settings, on_failure)) as client:
        assert failed.wait(60)
        assert client.get("/health/ready").status_code == 503
    assert "differs by 0.01" in str(failures[0])


def test_health_answers_during_slow_inference(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    begun, go, decode = threading.Event(), threading.Event(), Model.decode

    def slow(model: Model, z: Float32) -> Float32:
        begun.set()
        assert go.wait(60)
        return decode(model, z)

    monkeypatch.setattr(Model, "decode", slow)
    with ThreadPoolExecutor(1) as pool:
        decoding = pool.submit(client.get, "/decode")
        assert begun.wait(60)
        assert client.get("/health/live").status_code == 200
        assert not decoding.done()
        go.set()
        assert decoding.result().status_code == 200
