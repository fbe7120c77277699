from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.testclient import TestClient

from export.bundle import DECODER, BundleError
from service.app import create_app
from service.inference.repository import ModelRepository
from service.settings import Settings
from tests.service.processes import url_of, wait_until
from tests.service.toys import wait_until_ready
from tests.support import ROOT


def settings(bundles: Path, **more: object) -> Settings:
    return Settings(_env_file=None, **{"model": (str(bundles / "grey"),), "device": "cpu"} | more)


def test_a_bundle_that_is_damaged_is_refused_before_anything_runs(bundles: Path, tmp_path: Path):
    shutil.copytree(bundles / "grey", tmp_path / "bad")
    (tmp_path / "bad" / DECODER).write_bytes(b"x")
    with pytest.raises(BundleError, match=DECODER):
        create_app(settings(bundles, model=(str(tmp_path / "bad"),)))


def test_what_fails_later_is_told(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[Exception] = []
    come = threading.Event()

    def fail(repository: ModelRepository) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(ModelRepository, "load", fail)
    with TestClient(create_app(settings(bundles), lambda error: (told.append(error), come.set()))) as client:
        assert come.wait(60)
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
    assert str(told[0]) == "broken"


def test_paths_are_not_redirected(bundles: Path):
    """A redirect would lead to the host name that the client sent."""
    with TestClient(create_app(settings(bundles)), follow_redirects=False) as client:
        assert client.get("/decode/").status_code == 404


@pytest.fixture
def behind_prefix(bundles: Path):
    """A client of a service below /sprites."""
    with TestClient(create_app(settings(bundles, root_path="/sprites")), follow_redirects=False) as client:
        yield wait_until_ready(client)


@pytest.mark.parametrize("prefix", ["", "/sprites"])
def test_a_request_may_come_with_the_prefix_or_without(behind_prefix: TestClient, prefix: str):
    for path in ("/decode", "/models/grey", "/v2/models/grey", "/health/ready", "/docs", "/docs/start.js", "/metrics"):
        assert behind_prefix.get(f"{prefix}{path}").status_code == 200
    assert behind_prefix.get(f"{prefix}/").headers["Location"] == "/sprites/docs"
    assert (
        behind_prefix.get(f"{prefix}/docs").headers["Content-Security-Policy"].startswith("default-src 'none'; script")
    )
    assert "; /sprites/docs lists" in behind_prefix.get(f"{prefix}/nothing").json()["detail"]
    document = behind_prefix.get(f"{prefix}/openapi.json").json()
    assert document["servers"] == [{"url": "/sprites"}]
    assert behind_prefix.get("/sprites").headers["Location"] == "/sprites/docs"


def test_the_document_tells_no_server_without_a_prefix(bundles: Path):
    with TestClient(create_app(settings(bundles))) as client:
        assert "servers" not in client.get("/openapi.json").json()


def test_a_key_is_asked_for_behind_a_prefix_too(bundles: Path):
    guarded = settings(bundles, root_path="/sprites", api_keys="sixteen-characters")
    with TestClient(create_app(guarded)) as client:
        for prefix in ("", "/sprites"):
            for path, status in {"/decode": 401, "/metrics": 401, "/docs": 200, "/openapi.json": 200}.items():
                assert client.get(f"{prefix}{path}").status_code == status
            assert client.get(f"{prefix}/health/live").status_code == 200
        assert client.get("/sprites/sprites/decode").status_code == 401


UVICORN = ["uvicorn", "--factory", "service.app:from_environment", "--port", "0"]
GUNICORN = ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "-b", "127.0.0.1:0", "service.app:from_environment()"]
SERVERS = {
    "uvicorn": UVICORN,
    "uvicorn, 2 workers": [*UVICORN, "--workers", "2"],
    "uvicorn, its own prefix": [*UVICORN, "--root-path", "/sprites"],
    "gunicorn": GUNICORN,
    "gunicorn, 2 workers": [*GUNICORN, "-w", "2"],
}


def answer_of(url: str, **request: Any) -> httpx2.Response:
    """The answer to a request as soon as the worker that takes it has its model.

    Workers of uvicorn listen later than it says, and each loads a model of its own: one may be ready while another
    still answers 503.
    """
    answers: list[httpx2.Response] = []

    def answered() -> bool:
        try:
            answers.append(httpx2.request(url=url, **request))
        except httpx2.TransportError:
            return False
        return answers[-1].status_code != 503

    wait_until(answered)
    return answers[-1]


@pytest.mark.parametrize("server", SERVERS)
def test_other_servers_run_it_with_the_settings_of_the_environment(bundles: Path, server: str, tmp_path: Path):
    pytest.importorskip("gunicorn", reason="needs gunicorn")
    variables = {"PYTHONPATH": str(ROOT), "SPRITEVAE_MODEL": str(bundles / "grey"), "SPRITEVAE_MAX_STEPS": "3"}
    variables |= {"SPRITEVAE_PORT": "tcp://10.0.0.1:8000"}
    if "prefix" not in server:  # there it is uvicorn's own
        variables["SPRITEVAE_ROOT_PATH"] = "/sprites"
    command = [sys.executable, "-m", *SERVERS[server]]
    process = subprocess.Popen(
        command, env={**os.environ, **variables}, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        url = url_of(process)
        log: list[str] = []
        threading.Thread(target=lambda: log.extend(process.stderr or ()), daemon=True).start()
        assert answer_of(f"{url}/health/ready", method="GET").status_code == 200
        assert answer_of(f"{url}/decode", method="GET").status_code == 200
        document = answer_of(f"{url}/openapi.json", method="GET").json()
        assert urljoin(f"{url}/sprites/openapi.json", document["servers"][0]["url"]) == f"{url}/sprites"
        body = {"keyframes": [{}, {}], "steps": 4}
        refused = answer_of(f"{url}/interpolate", method="POST", json=body)
        assert refused.status_code == 422, "the limit of the environment holds"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)  # uvicorn ends by the signal itself
    finally:
        process.kill()
        process.wait()


def test_another_server_is_told_what_is_wrong_with_the_environment(tmp_path: Path):
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "SPRITEVAE_THREADS": "0"}
    command = [sys.executable, "-m", *SERVERS["uvicorn"]]
    ended = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert "SPRITEVAE_THREADS: Input should be greater than or equal to 1, got '0'" in ended.stderr
