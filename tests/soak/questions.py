"""Requests of every kind whose right answers are known, for each of several models of the same attributes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import spritevae
from tests.soak.bundles import digest
from tests.soak.client import Answer, request

Array = NDArray[Any]
NPY = "application/x-npy"
VALUES: list[dict[str, Any]] = [
    {"shape": shape, "scale": scale, "orientation": orientation, "pos_x": x, "pos_y": 31 - x}
    for shape, scale, orientation, x in (
        ("square", 0, 0, 3),
        ("ellipse", 2.5, 12.5, 9),
        ("heart", 5, 38.75, 16),
        ("square", 4, 20, 20.25),
        ("ellipse", 1, 5, 25),
        ("heart", 3, 30, 29),
    )
]
PIXEL, Z = 1, 1e-3
"""How far a right answer may be off: a step of 255, as batches round differently; and a thousandth in z."""


@dataclass(frozen=True)
class Question:
    """A request, what reads its answer, and what must be read there, by the digest of the model that answers."""

    request: bytes
    read: Callable[[Answer], Array]
    right: dict[str, Array]
    tolerance: float = PIXEL
    told: Callable[[Answer], str] = lambda answer: ""
    """The beginning of the model's digest as the body tells it."""
    images: int = 1

    def judge(self, answer: Answer) -> str:
        """What is wrong with an answer; nothing if it is right."""
        if answer.status != 200:
            return f"status {answer.status}: {answer.body[:200]!r}"
        model = answer.header("x-model-digest")
        if model not in self.right or not model.startswith(self.told(answer)):
            return f"digest {model:.12} in the head, {self.told(answer):.12} in the body"
        try:
            read, right = self.read(answer), self.right[model]
        except Exception as error:  # whatever does not like what it is given to read
            return f"unreadable: {error!r}"
        if read.shape != right.shape or np.abs(read - right).max() > self.tolerance:
            return f"not what {model:.12} gives"
        return ""


def questions(bundles: Sequence[Path]) -> list[Question]:
    """Of each kind, for models that share a name; they are run here, by what Python users run them with."""
    models = {digest(path): spritevae.load(path, device="cpu") for path in bundles}
    name = next(iter(models.values())).name
    drawn = {key: np.rint(255 * model.decode(VALUES)) for key, model in models.items()}
    weights = next(iter(models.values())).attributes
    asked: list[Question] = []
    for index, values in enumerate(VALUES):
        one = {key: images[index] for key, images in drawn.items()}
        query = "&".join(f"{key}={value}" for key, value in values.items())
        asked.append(Question(request("POST", "/decode", {"attributes": values}), _png, one))
        asked.append(Question(request("GET", f"/decode?{query}"), _png, one))
        asked.append(Question(*_infer(name, weights.weights(values)), one))
        for image in one.values():
            seen = {key: model.encode(image.astype(np.uint8)).z for key, model in models.items()}
            sent = request("POST", "/encode", _file(image), content_type="image/png")
            asked.append(Question(sent, _z, seen, Z, _digest))
    several = request("POST", "/decode", {"attributes": VALUES}, accept=NPY)
    asked.append(Question(several, _npy, drawn, images=len(VALUES)))
    walk = request("POST", "/interpolate", {"keyframes": VALUES, "steps": 2}, accept=NPY)
    asked.append(Question(walk, _npy, drawn, images=len(VALUES)))
    return asked


def _infer(name: str, weights: Array) -> tuple[bytes, Callable[[Answer], Array]]:
    """Attribute weights [K] as a binary tensor, to an image."""
    content = weights.astype("<f4").tobytes()
    tensor = {"name": "weights", "shape": [1, len(weights)], "datatype": "FP32"}
    asks = {"inputs": [tensor | {"parameters": {"binary_data_size": len(content)}}]}
    head = json.dumps(asks | {"parameters": {"binary_data_output": True}}).encode()
    sent = request("POST", f"/v2/models/{name}/infer", head + content, inference_header_content_length=str(len(head)))

    def read(answer: Answer) -> Array:
        told, pixels = _parts(answer)
        return np.frombuffer(pixels, np.uint8).reshape(told["outputs"][0]["shape"])[0].astype(float)

    return sent, read


def _parts(answer: Answer) -> tuple[dict[str, Any], bytes]:
    length = int(answer.header("inference-header-content-length"))
    return json.loads(answer.body[:length]), answer.body[length:]


def _digest(answer: Answer) -> str:
    return str(json.loads(answer.body)["digest"])


def _file(pixels: Array) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0].astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _png(answer: Answer) -> Array:
    return np.asarray(Image.open(io.BytesIO(answer.body)), float)[..., None]


def _npy(answer: Answer) -> Array:
    return np.load(io.BytesIO(answer.body)).astype(float)


def _z(answer: Answer) -> Array:
    return np.array([item["z"] for item in json.loads(answer.body)["items"]])
