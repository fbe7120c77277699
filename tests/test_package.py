"""The project as a package: the content of the wheel, and what it runs with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from service.inference.repository import SHIPPED
from tests.support import ROOT

WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "onnx"):
            raise AssertionError(f"{name} was imported")
sys.meta_path.insert(0, NoTorch())
sys.argv[0] = "spritevae"
from spritevae.__main__ import main
sys.exit(main())
"""

IN_PYTHON = """
import sys, spritevae
model = spritevae.load(sys.argv[1])
print(model.decode(shape="heart").shape, "torch" in sys.modules)
"""

LOADS_A_GRAPH = """
import importlib, sys
importlib.import_module(sys.argv[1])
import onnxruntime
onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True)
    return next(folder.glob("spritevae-*.whl"))


def test_the_wheel_carries_the_default_model_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "service/bundles/dsprites/manifest.json" in names
    assert "service/bundles/dsprites/decoder.onnx" in names
    assert {"service/static/index.html", "service/static/start.js"} <= set(names)
    assert {name.split("/")[0] for name in names} == {
        "spritevae", "attributes", "training", "export", "service", wheel.name.rsplit("-", 3)[0] + ".dist-info",
    }  # fmt: skip


@pytest.mark.slow
def test_the_wheel_serves_from_an_empty_environment_without_torch(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    lock = ROOT / "requirements" / "constraints.txt"
    subprocess.run([python, "-m", "pip", "install", "-q", "-c", lock, f"{wheel}[cpu]"], check=True)
    installed = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert not re.search(r"^(torch|onnx|matplotlib|tqdm) ", installed, re.MULTILINE)
    process = subprocess.Popen(
        [python, "-c", WITHOUT_TORCH, "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        url = next(found.group() for line in process.stderr if (found := re.search(r"http://[\d.]+:\d+", line)))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{url}/health/ready") as answer:
                    assert answer.status == 200
                    break
            except urllib.error.HTTPError:
                time.sleep(0.05)
        with urllib.request.urlopen(f"{url}/decode?shape=heart") as answer:
            image = answer.read()
        request = urllib.request.Request(f"{url}/encode", image, {"Content-Type": "image/png"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["items"][0]["attributes"]["shape"]["value"] == "heart"
    finally:
        process.terminate()
    assert process.wait(60) == 0
    bundle = next((tmp_path / "env" / "lib").glob("python*/site-packages/service/bundles/dsprites"))
    shown = subprocess.run([python, "-c", IN_PYTHON, bundle], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert shown.stdout.strip() == "(64, 64, 1) False"


def test_importing_the_service_and_spritevae_brings_no_torch() -> None:
    code = "import sys, service.app, service.main, spritevae; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("module", ["service.inference.model", "export.onnx"])
def test_onnxruntime_stores_no_identifier_and_no_telemetry(module: str, tmp_path: Path) -> None:
    """By default it writes both to the home folder. It doesn't where CI is set, so the environment leaves that out."""
    graph = SHIPPED / "dsprites" / "decoder.onnx"
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", LOADS_A_GRAPH, module, graph], check=True, env=home)
    assert not [file for file in tmp_path.rglob("*") if "onnxruntime" in str(file)]
