"""The service as a process of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from service.main import serve
from tests.service.processes import Running, running, start
from tests.service.toys import toy_bundle
from tests.support import ROOT


@pytest.fixture(scope="module")
def server(bundles: Path) -> Iterator[Running]:
    with running(bundles / "grey", "--device", "auto", "--max-body-bytes", "100000") as service:
        yield service


def test_a_server_answers_on_its_port(server: Running):
    url = server.url
    response = httpx2.get(f"{url}/decode?shape=heart")
    assert response.status_code == 200
    assert response.headers["X-Execution-Provider"] == "CPUExecutionProvider"
    assert "server" not in response.headers
    encoded = httpx2.post(f"{url}/encode", content=response.content, headers={"Content-Type": "image/png"})
    assert encoded.json()["items"][0]["attributes"]["shape"]["value"] == "heart"


def test_no_body_follows_the_answer_to_head(server: Running):
    with httpx2.Client(base_url=server.url) as client:  # on one connection, where it would be the next answer
        for _ in range(3):
            assert client.head("/decode").headers["Content-Type"] == "image/png"
            assert client.get("/health/live").json() == {"status": "live"}


def test_a_large_body_is_refused_and_the_next_request_served(server: Running):
    url = server.url
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            b"POST /encode HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
    chunked = httpx2.post(f"{url}/encode", content=iter([b"x" * 60_000] * 3), headers={"Content-Type": "image/png"})
    assert chunked.status_code == 413
    assert httpx2.get(f"{url}/decode").status_code == 200


def test_a_port_in_use_is_one_clear_line(server: Running, bundles: Path):
    url = server.url
    port = url.rsplit(":", 1)[1]
    process = start("--model", str(bundles / "grey"), "--port", port)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = stderr.splitlines()
    assert line.startswith(f"spritevae serve: error: can't listen on 127.0.0.1:{port}: Address already in use")


def test_golden_vectors_that_differ_end_it_with_the_reason(tmp_path: Path):
    process = start("--model", str(toy_bundle(tmp_path / "wrong", golden_error=0.01)), "--port", "0")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "spritevae serve: error:" in stderr
    assert "differs by 0.01" in stderr.splitlines()[-1]
    assert "Traceback" not in stderr


def test_cuda_that_can_not_be_had_ends_it_with_the_reason(bundles: Path):
    process = start("--model", str(bundles / "grey"), "--port", "0", "--device", "cuda")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"spritevae serve: error: .*(onnxruntime-gpu|NVIDIA|CUDA).*\n", stderr)


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--port", "70000"], 2, "--port: Input should be less than or equal to 65535, got '70000'"),
        (["--device", "tpu"], 2, "--device: Input should be 'auto', 'cpu', 'cuda' or 'tensorrt', got 'tpu'"),
        (["--bogus"], 2, "unrecognized arguments: --bogus"),
        (["--model", "nowhere", "--port", "0"], 1, "no bundle 'nowhere'"),
    ],
)
def test_what_is_wrong_with_the_flags_is_said(
    flags: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
):
    assert serve(flags) == code
    assert message in capsys.readouterr().err


def test_a_service_that_kubernetes_tells_of_itself_starts_and_says_so_once(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SPRITEVAE_PORT=0\n")
    monkeypatch.setenv("SPRITEVAE_PORT", "tcp://10.0.0.1:8000")
    monkeypatch.setenv("SPRITEVAE_SERVICE_PORT", "8000")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process = start("--model", str(bundles / "grey"), "--workers", "2", "--drain-seconds", "0")
    assert process.stderr
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "listening on" in line:
            process.terminate()
    assert process.wait(60) == 0
    (told,) = [line for line in lines if "Kubernetes" in line]
    assert "SPRITEVAE_PORT: set by Kubernetes for a Service of that name, and ignored" in told


def test_a_port_that_is_no_number_is_an_error_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SPRITEVAE_PORT", "80x")
    assert serve([]) == 2
    assert "SPRITEVAE_PORT: Input should be a valid integer" in capsys.readouterr().err


def test_a_file_of_settings_that_is_no_utf_8_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"# gr\xf6\xdfe\nSPRITEVAE_LOG_LEVEL=warning\n")
    assert serve([]) == 2
    assert f"spritevae serve: error: {tmp_path / '.env'}, line 1: byte 0xf6 is no UTF-8" in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]):
    assert serve(["--help"]) == 0
    assert "usage: spritevae serve" in capsys.readouterr().out


def test_serving_never_imports_torch():
    code = "import sys, service.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
