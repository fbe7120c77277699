from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from service import settings
from service.main import serve
from tests.service.processes import running

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(ThreadingHTTPServer):
    """Takes what is exported by OTLP over HTTP."""

    def __init__(self) -> None:
        self.traces: list[bytes] = []
        self.got = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces" and b"/decode" in content:
            self.server.traces.append(content)
            self.server.got.set()
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_requests_are_traced_to_where_the_environment_says(
    bundles: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with running(bundles / "grey", "--telemetry") as service:
        answer = httpx2.post(f"{service.url}/decode", json={"attributes": {}}, headers={"traceparent": SAMPLED})
        assert answer.status_code == 200
        assert collector.got.wait(60)
    assert any(bytes.fromhex(SAMPLED.split("-")[1]) in content for content in collector.traces)


def test_nothing_of_it_is_imported_unless_it_is_asked_for(bundles: Path):
    code = f"""
import sys
from service.app import create_app
from service.settings import Settings
from tests.service.toys import wait_until_ready
from starlette.testclient import TestClient
with TestClient(create_app(Settings(_env_file=None, model=({str(bundles / "grey")!r},), device="cpu"))) as client:
    assert wait_until_ready(client).get("/decode").status_code == 200
sys.exit(any(name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")) for name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_a_destination_or_its_packages_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert serve(["--telemetry"]) == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT says where" in capsys.readouterr().err
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    assert serve(["--telemetry"]) == 2
    assert "pip install 'spritevae[telemetry]'" in capsys.readouterr().err
