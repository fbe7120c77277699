"""What all peers share: the pair in onnxruntime, and PNG by Pillow. Of systems whose codebook is the identity."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

Float32 = NDArray[np.float32]
Pixels = NDArray[np.uint8]
BUNDLE, WORKERS = "SPRITEVAE_BENCHMARK_BUNDLE", "SPRITEVAE_BENCHMARK_WORKERS"
"""The environment variables that tell a peer which bundle to serve, and in how many processes."""


class Pair:
    """Both graphs of a bundle, each on one thread."""

    def __init__(self, bundle: Path) -> None:
        self.attributes = json.loads((bundle / "manifest.json").read_text())["attributes"]
        with np.load(bundle / "codebook.npz") as codebook:
            self.length = len(codebook["offset"])
        self._encoder, self._decoder = (_session(bundle / f"{half}.onnx") for half in ("encoder", "decoder"))

    @classmethod
    def told(cls) -> Pair:
        """Of the bundle that the environment names."""
        return cls(Path(os.environ[BUNDLE]))

    def place(self, values: Mapping[str, Any]) -> Float32:
        """z [D] of a label or an index for each attribute."""
        z, start = np.zeros(self.length, np.float32), 0
        for attribute in self.attributes:
            value = values[attribute["name"]]
            z[start + (attribute["labels"].index(value) if isinstance(value, str) else int(value))] = 1
            start += attribute["size"]
        return z

    def decode(self, z: Float32) -> Pixels:
        """Pixels [B, H, W] of z [B, D]."""
        (images,) = self._decoder.run(["image"], {"z": z})
        pixels: Pixels = np.rint(255 * images[:, 0]).astype(np.uint8)
        return pixels

    def encode(self, pixels: Pixels) -> tuple[Float32, Float32]:
        """z [B, D] and weights [B, sum K] of pixels [B, H, W]."""
        z, weights = self._encoder.run(["z", "weights"], {"image": pixels[:, None] / np.float32(255)})
        return z, weights

    def facts(self, z: Float32, weights: Float32) -> dict[str, Any]:
        """What is said of one image, from its z [D] and weights [sum K]."""
        said, start = {}, 0
        for attribute in self.attributes:
            own = weights[start : start + attribute["size"]]
            index = int(own.argmax())
            value = attribute["labels"][index] if attribute["labels"] else index
            said[attribute["name"]] = {"value": value, "index": index, "confidence": float(own[index])}
            start += attribute["size"]
        return {"items": [{"attributes": said, "z": z.tolist()}]}


def workers() -> int:
    """How many processes the environment asks for."""
    return int(os.environ[WORKERS])


def png(pixels: Pixels) -> bytes:
    """Pixels [H, W] as PNG."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def read_png(content: bytes) -> Pixels:
    """Pixels [H, W] of a PNG, in grey."""
    return np.asarray(Image.open(BytesIO(content), formats=["PNG"]).convert("L"))


def _session(graph: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # the processes share the cores
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
