"""Toy systems as bundles, and what tests need to talk to a service of them."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from starlette.testclient import TestClient

from export.bundle import CARD, CODEBOOK, DECODER, ENCODER, GOLDEN, seal, writing_bundle
from export.manifest import CONDITION, GraphSpec, ImageSpec, Manifest, TensorSpec
from tests.service.processes import wait_until
from tests.service.toy_systems import KINDS, Array, Kind, Toy

Shapes = dict[str, tuple[int, ...]]


def wait_until_ready(client: TestClient) -> TestClient:
    """The client, once its service has loaded its models."""
    wait_until(lambda: client.get("/health/ready").status_code == 200)
    return client


def npy(array: Array) -> str:
    """An array as a base64 npy file."""
    file = BytesIO()
    np.save(file, array)
    return base64.b64encode(file.getvalue()).decode()


def image(pixels: dict[int, float] | Array) -> str:
    """A 32x32 image with these pixels, all others 0, as base64."""
    values = dict(enumerate(pixels)) if isinstance(pixels, np.ndarray) else pixels
    flat = np.zeros(32 * 32, np.float32)
    flat[list(values)] = list(values.values())
    return npy(flat.reshape(32, 32))


def pixels_of(answer: Any) -> Array:
    """The pixels [B, P] in 0..1 of an answer in application/x-npy."""
    assert answer.status_code == 200, answer.text
    images = np.load(BytesIO(answer.content))
    return images.reshape(len(images), -1) / 255


def toy_bundle(
    path: Path,
    kind: Kind = "onehot",
    shape: tuple[int, int, int] = (32, 32, 1),
    golden_error: float = 0,
    decoder_op: str = "Identity",
    **manifest: Any,
) -> Path:
    """A bundle of images of ``shape`` [H, W, C], which the system of that kind paints into the first channel.

    ``golden_error`` is added to the golden z; ``manifest`` replaces fields of the manifest.
    """
    height, width, channels = shape
    toy = KINDS[kind](height * width * channels)
    background = toy.background.copy()
    if channels == 4:
        background[3 * height * width :] = 1
    golden = _golden(toy, background, shape)
    golden["encoder.z"] = golden["encoder.z"] + golden_error

    total, length = toy.matrix.shape
    images: Shapes = {"image": (-1, channels, height, width)}
    inputs = images | (dict(zip(CONDITION, ((-1, total), (-1, 1)), strict=True)) if toy.conditions else {})
    outputs = {
        name.removeprefix("encoder."): (-1, *array.shape[1:])
        for name, array in golden.items()
        if name.startswith("encoder.")
    }
    points: Shapes = {"z": (-1, length)}
    described: dict[str, Any] = {
        "name": path.name,
        "system": "toy",
        "image": ImageSpec.model_validate({"height": height, "width": width, "channels": channels}),
        "attributes": tuple(toy.attributes),
        "latents": toy.parts,
        "conditions": toy.conditions,
        "group": toy.group,
        "encoder": _spec(inputs, outputs),
        "decoder": _spec(points, images),
        "opset": 18,
        "tolerances": {"fp32": 1e-4},
        "training": {"data": "none"},
        "scores": {"mig": 1.0},
    }
    described |= manifest
    decoder = [
        (decoder_op, ["z"], "point"),
        ("MatMul", ["point", "paint"], "raw"),
        ("Add", ["raw", "background"], "sum"),
        ("Clip", ["sum", "low", "high"], "painted"),
        ("Reshape", ["painted", "shape"], "image"),
    ]
    constants = {"paint": toy.paint, "background": background, "low": np.array(0.0), "high": np.array(1.0)}
    constants["shape"] = np.array([-1, channels, height, width], np.int64)
    with writing_bundle(path) as folder:
        encoder = [("Flatten", ["image"], "flat"), *toy.nodes]
        (folder / ENCODER).write_bytes(_graph(encoder, inputs, outputs, toy.constants))
        (folder / DECODER).write_bytes(_graph(decoder, points, images, constants))
        np.savez(folder / CODEBOOK, matrix=toy.matrix.astype(np.float32), offset=np.zeros(length, np.float32))
        np.savez(folder / GOLDEN, **{name: array.astype(np.float32) for name, array in golden.items()})
        (folder / CARD).write_text("A toy.\n")
        seal(folder, Manifest(**described))
    return path


def _golden(toy: Toy, background: Array, shape: tuple[int, int, int]) -> dict[str, Array]:
    """Inputs and what they must give, by numpy."""
    draw = np.random.default_rng(0)
    height, width, channels = shape
    images = draw.random((4, channels, height, width))
    condition, known = draw.random((4, toy.attributes.total)), np.array([[0.0], [1], [0], [1]])
    points = draw.random((4, len(toy.paint)))
    golden = {"image": images, "z": points}
    if toy.conditions:
        golden |= dict(zip(CONDITION, (condition, known), strict=True))
    encoded = toy.encode(images.reshape(4, -1), condition, known)
    golden |= {f"encoder.{name}": array for name, array in encoded.items()}
    golden["decoder.image"] = np.clip(points @ toy.paint + background, 0, 1).reshape(images.shape)
    return golden


def _spec(inputs: Shapes, outputs: Shapes) -> GraphSpec:
    def tensors(named: Shapes) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(name=name, shape=shape) for name, shape in named.items())

    return GraphSpec(inputs=tensors(inputs), outputs=tensors(outputs))


def _graph(
    nodes: list[tuple[str, list[str], str]], inputs: Shapes, outputs: Shapes, constants: dict[str, Array]
) -> bytes:
    def values(named: Shapes) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape[1:]])
            for name, shape in named.items()
        ]

    made = [
        helper.make_node(op, operands, [result], **({"axis": 1} if op == "Concat" else {}))
        for op, operands, result in nodes
    ]
    initializers = [
        numpy_helper.from_array(a if a.dtype == np.int64 else a.astype(np.float32), name)
        for name, a in constants.items()
    ]
    graph = helper.make_graph(made, "toy", values(inputs), values(outputs), initializers)
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
