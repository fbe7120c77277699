"""TorchServe (https://github.com/pytorch/serve): Java for HTTP, batches of what comes within 2 ms. Needs Java.

python -m benchmarks.peers.torchserve PORT
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from benchmarks.peers.pair import Pair, png, read_png, workers

Requests = list[dict[str, Any]]
BATCH = {"batchSize": 64, "maxBatchDelay": 2, "defaultVersion": True}
PAIRS: list[Pair] = []
"""The one of this process, once it has been asked to begin."""


def decode(data: Requests | None, context: Any) -> list[bytes] | None:
    """Attribute values to PNG."""
    if data is None:
        PAIRS.append(Pair.from_environment())
        return None
    for index in range(len(data)):
        context.set_response_content_type(index, "image/png")
    (pair,) = PAIRS
    points = [pair.latent_point(each["body"]["attributes"]) for each in data]
    return [png(pixels) for pixels in pair.decode(np.stack(points))]


def encode(data: Requests | None, context: Any) -> list[dict[str, Any]] | None:
    """PNG to attribute values."""
    if data is None:
        PAIRS.append(Pair.from_environment())
        return None
    (pair,) = PAIRS
    pixels = np.stack([read_png(bytes(each["body"])) for each in data])
    return [pair.response(*each) for each in zip(*pair.encode(pixels), strict=True)]


def write_store(store: Path, port: int) -> list[str]:
    """Write both models, which are this file's functions, and all settings; gives the arguments that name them."""
    models = {}
    for name in ("decode", "encode"):
        model = {"modelName": name, "modelVersion": "1.0", "handler": f"benchmarks.peers.torchserve:{name}"}
        manifest = {"runtime": "python", "model": model, "archiverVersion": "0.12.0"}
        with ZipFile(store / f"{name}.mar", "w") as archive:
            archive.writestr("MAR-INF/MANIFEST.json", json.dumps(manifest))
            archive.writestr("README", "A folder alone would be taken for the model's.")
        models[name] = {"1.0": BATCH | {"marName": f"{name}.mar", "minWorkers": workers(), "maxWorkers": workers()}}
    address = "http://127.0.0.1"
    (store / "config.properties").write_text(
        f"inference_address={address}:{port}\nmanagement_address={address}:0\nmetrics_address={address}:0\n"
        f"load_models=all\nmodels={json.dumps(models)}\ndisable_token_authorization=true\ndisable_system_metrics=true\n"
    )
    log = store / "log4j2.xml"
    log.write_text('<Configuration><Loggers><Root level="error"/></Loggers></Configuration>')
    return ["--model-store", str(store), "--ts-config", str(store / "config.properties"), "--log-config", str(log)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("torchserve")
        written = write_store(Path(folder), int(sys.argv[1]))
        environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
        environment |= {"LOG_LOCATION": folder, "METRICS_LOCATION": folder, "TMPDIR": folder}
        process = subprocess.Popen([program, "--start", "--foreground", "--ncs", *written], env=environment)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        process.wait()
