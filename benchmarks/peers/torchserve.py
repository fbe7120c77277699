"""TorchServe (https://github.com/pytorch/serve): Java for HTTP, batches of what comes within 2 ms. Needs Java.

python -m benchmarks.peers.torchserve PORT
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.pair import Pair, png, read_png, workers

Requests = list[dict[str, Any]]
BATCH = {"batchSize": 64, "maxBatchDelay": 2, "defaultVersion": True}
PAIRS: list[Pair] = []
"""The one of this process, once it has been asked to begin."""


def decode(data: Requests | None, context: Any) -> list[bytes] | None:
    """Attribute values to PNG."""
    if data is None:
        return PAIRS.append(Pair.told())
    for index in range(len(data)):
        context.set_response_content_type(index, "image/png")
    (pair,) = PAIRS
    points = [pair.place(each["body"]["attributes"]) for each in data]
    return [png(pixels) for pixels in pair.decode(np.stack(points))]


def encode(data: Requests | None, context: Any) -> list[dict[str, Any]] | None:
    """PNG to attribute values."""
    if data is None:
        return PAIRS.append(Pair.told())
    (pair,) = PAIRS
    pixels = np.stack([read_png(bytes(each["body"])) for each in data])
    return [pair.facts(*each) for each in zip(*pair.encode(pixels), strict=True)]


def write_store(store: Path) -> dict[str, Any]:
    """Write both models, which are this file's functions, and give their settings."""
    settings = {}
    for name in ("decode", "encode"):
        model = {"modelName": name, "modelVersion": "1.0", "handler": f"{__spec__.name}:{name}"}
        (store / name / "MAR-INF").mkdir(parents=True)
        manifest = {"runtime": "python", "model": model, "archiverVersion": "0.12.0"}
        (store / name / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
        settings[name] = {"1.0": BATCH | {"marName": name, "minWorkers": workers(), "maxWorkers": workers()}}
    return settings


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        properties = Path(folder) / "config.properties"
        address = "http://127.0.0.1"
        properties.write_text(
            f"inference_address={address}:{sys.argv[1]}\nmanagement_address={address}:0\nmetrics_address={address}:0\n"
            f"load_models=all\nmodels={json.dumps(write_store(Path(folder) / 'store'))}\n"
            "disable_token_authorization=true\ndisable_system_metrics=true\nenable_envvars_config=false\n"
        )
        command = ["torchserve", "--start", "--foreground", "--ncs", "--ts-config", str(properties)]
        command += ["--model-store", str(Path(folder) / "store")]
        os.environ["PYTHONPATH"] = os.getcwd()
        os.environ["LOG_LOCATION"] = os.environ["METRICS_LOCATION"] = folder
        program = Path(sys.executable).with_name("torchserve")
        os.execv(program, command)
