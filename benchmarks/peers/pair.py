"""What all peers share: encoder and decoder in onnxruntime, and PNG by Pillow."""

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
# Environment variable: the bundle that a peer serves.
BUNDLE = "SPRITEVAE_BENCHMARK_BUNDLE"
# Environment variable: the number of a peer's processes.
WORKERS = "SPRITEVAE_BENCHMARK_WORKERS"


class Pair:
    """Encoder and decoder of a bundle, each on one thread.

    ``columns``: each attribute's columns in the weights. ``codebook`` [sum K, D]: the latent vector of each weight.
    """

    def __init__(self, bundle: Path) -> None:
        attributes = json.loads((bundle / "manifest.json").read_text())["attributes"]
        self.attributes = {each["name"]: each for each in attributes}
        ends = np.cumsum([each["size"] for each in attributes]).tolist()
        self.columns: dict[str, slice] = {
            each["name"]: slice(end - each["size"], end) for each, end in zip(attributes, ends, strict=True)
        }
        with np.load(bundle / "codebook.npz") as codebook:
            self.codebook, self._offset = (codebook[name].astype(np.float32) for name in ("matrix", "offset"))
        self._encoder, self._decoder = (_session(bundle / f"{graph}.onnx") for graph in ("encoder", "decoder"))

    @classmethod
    def from_environment(cls) -> Pair:
        """The pair of the bundle that the environment variable BUNDLE names."""
        return cls(Path(os.environ[BUNDLE]))

    def column(self, name: str, value: Any) -> int:
        """An attribute's class's column in the weights, by its label or its index (a number or its digits)."""
        labels = self.attributes[name]["labels"]
        start: int = self.columns[name].start
        return start + (labels.index(value) if value in labels else int(value))

    def latent_point(self, values: Mapping[str, Any]) -> Float32:
        """z [D] of a label or an index of each attribute."""
        columns = [self.column(name, values[name]) for name in self.attributes]
        z: Float32 = self._offset + self.codebook[columns].sum(axis=0)
        return z

    def decode(self, z: Float32) -> Pixels:
        """Pixels [B, H, W] of z [B, D]."""
        (images,) = self._decoder.run(["image"], {"z": z})  # [B, 1, H, W]
        pixels: Pixels = np.rint(255 * images[:, 0]).astype(np.uint8)
        return pixels

    def encode(self, pixels: Pixels) -> tuple[Float32, Float32]:
        """z [B, D] and weights [B, sum K] of pixels [B, H, W]."""
        z, weights = self._encoder.run(["z", "weights"], {"image": pixels[:, None] / np.float32(255)})
        return z, weights

    def response(self, z: Float32, weights: Float32) -> dict[str, Any]:
        """The JSON response of /encode for one image, from its z [D] and weights [sum K]."""
        predictions = {}
        for name, attribute in self.attributes.items():
            own = weights[self.columns[name]]
            index = int(own.argmax())
            value = attribute["labels"][index] if attribute["labels"] else index
            predictions[name] = {"value": value, "index": index, "confidence": float(own[index])}
        return {"items": [{"attributes": predictions, "z": z.tolist()}]}


def workers() -> int:
    """The number of processes that the environment variable WORKERS asks for."""
    return int(os.environ[WORKERS])


def png(pixels: Pixels) -> bytes:
    """Pixels [H, W] as PNG."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def read_png(content: bytes) -> Pixels:
    """Pixels [H, W] of a PNG, converted to grey."""
    return np.asarray(Image.open(BytesIO(content), formats=["PNG"]).convert("L"))


def _session(graph: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # the processes share the cores
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
