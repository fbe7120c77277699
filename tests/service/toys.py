"""Toy bundles whose truth is known: the decoder paints z into pixels, the encoder reads weights back from pixels."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from starlette.testclient import TestClient

from export.bundle import (
    CARD,
    CODEBOOK,
    DECODER,
    ENCODER,
    GOLDEN,
    GraphSpec,
    ImageSpec,
    Manifest,
    TensorSpec,
    seal,
    writing_bundle,
)
from training.attributes import Attribute, Attributes
from training.codebook import Part

SHAPE = Attribute(name="shape", kind="nominal", size=3, labels=("square", "ellipse", "heart"), default="square")
SCALE = Attribute(name="scale", kind="ordinal", size=6, range=(0.5, 1.0), default=5)
ORIENTATION = Attribute(name="orientation", kind="circular", size=40, period=39, unit="rad", range=(0, 2 * np.pi))
POS_X = Attribute(name="pos_x", kind="ordinal", size=32, range=(0, 1), default=16)
STYLE = Attribute(name="style", kind="continuous", range=(-3, 3))
DISCRETE = (SHAPE, SCALE, ORIENTATION, POS_X)
CONDITIONS = ("shape", "scale")
STYLE_SCALE, STYLE_SD = 2.0, 0.25
EPSILON = 1e-6  # keeps weights of a black image from being all zero

Kind = Literal["onehot", "codes"]


def wait_until_ready(client: TestClient) -> TestClient:
    """The client, once its service has loaded its models."""
    deadline = time.monotonic() + 10
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline, "not ready"
        time.sleep(0.01)
    return client


def toy_bundle(
    path: Path,
    kind: Kind = "onehot",
    shape: tuple[int, int, int] = (32, 32, 1),
    golden_error: float = 0,
    condition: bool = False,
    decoder_op: str = "Identity",
    **manifest: Any,
) -> Path:
    """A bundle of images of ``shape`` [H, W, C].

    onehot: z is the weights; pixel i of the first channel is z[i]. codes: one number per attribute (its class index,
    attributes that have no order can't be mixed) and a continuous ``style`` with a posterior; pixel i is z[i] / 40.
    With ``condition`` the encoder may be told shape and scale.
    """
    attributes = Attributes(DISCRETE if kind == "onehot" else (*DISCRETE, STYLE))
    parts, matrix = _latents(attributes, kind)
    height, width, channels = shape
    total, length, pixels = attributes.total, parts[-1].stop, height * width * channels
    painted = 1.0 if kind == "onehot" else 1 / 40
    paint = np.eye(length, pixels) * painted
    background = np.zeros(pixels)
    if channels == 4:
        background[3 * height * width :] = 1

    read = np.eye(pixels, total)
    shift = np.full(total, EPSILON)
    if kind == "codes":  # the style's pixel 0..1 means -3..3
        read[:, -1] *= 6
        shift[-1] = -3

    images = np.random.default_rng(0).random((3, channels, height, width))
    points = np.random.default_rng(1).random((3, length))
    weights = images.reshape(3, -1) @ read + shift
    z = weights @ matrix
    golden = {"image": images, "z": points, "encoder.z": z, "encoder.weights": weights}
    golden["decoder.image"] = np.clip(points @ paint + background, 0, 1).reshape(images.shape)
    outputs = ["z", "weights"]
    if kind == "codes":
        logvar = np.full_like(z, 2 * np.log(STYLE_SD * STYLE_SCALE))
        golden |= {"encoder.mean": z, "encoder.logvar": logvar}
        outputs += ["mean", "logvar"]
    golden["encoder.z"] = golden["encoder.z"] + golden_error

    inputs = {"image": (-1, channels, height, width)}
    if condition:
        inputs |= {"condition": (-1, total), "condition_known": (-1, 1)}
    sizes = {"z": (-1, length), "weights": (-1, total), "mean": (-1, length), "logvar": (-1, length)}
    encoder_nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "read"], ["raw"]),
        helper.make_node("Add", ["raw", "shift"], ["guess" if condition else "weights"]),
        helper.make_node("MatMul", ["weights", "matrix"], ["z"]),
    ]
    if condition:  # weights = guess + known (condition - guess) in the conditions' columns
        encoder_nodes[3:3] = [
            helper.make_node("Sub", ["condition", "guess"], ["wrong"]),
            helper.make_node("Mul", ["wrong", "told"], ["wrong_where_told"]),
            helper.make_node("Mul", ["wrong_where_told", "condition_known"], ["correction"]),
            helper.make_node("Add", ["guess", "correction"], ["weights"]),
        ]
    if kind == "codes":
        encoder_nodes.append(helper.make_node("Identity", ["z"], ["mean"]))
        encoder_nodes.append(helper.make_node("Mul", ["z", "nothing"], ["zero"]))
        encoder_nodes.append(helper.make_node("Add", ["zero", "spread"], ["logvar"]))
    encoder_constants = {
        "read": read,
        "shift": shift,
        "matrix": matrix,
        "told": np.repeat([float(a.name in CONDITIONS) for a in attributes], [a.size for a in attributes]),
        "nothing": np.zeros(1),
        "spread": np.full(length, 2 * np.log(STYLE_SD * STYLE_SCALE)),
    }
    decoder_nodes = [
        helper.make_node(decoder_op, ["z"], ["point"]),
        helper.make_node("MatMul", ["point", "paint"], ["raw"]),
        helper.make_node("Add", ["raw", "background"], ["sum"]),
        helper.make_node("Clip", ["sum", "low", "high"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["image"]),
    ]
    decoder_constants = {
        "paint": paint,
        "background": background,
        "low": np.array(0.0),
        "high": np.array(1.0),
        "shape": np.array([-1, channels, height, width], np.int64),
    }
    described = Manifest(
        **{
            "name": path.name,
            "system": "toy",
            "image": ImageSpec(height=height, width=width, channels=channels),
            "attributes": tuple(attributes),
            "latents": parts,
            "encoder": _spec(inputs, {name: sizes[name] for name in outputs}),
            "decoder": _spec({"z": (-1, length)}, {"image": (-1, channels, height, width)}),
            "opset": 18,
            "tolerances": {"fp32": 1e-4},
            "training": {"data": "none"},
            "scores": {"mig": 1.0},
            "conditions": CONDITIONS if condition else (),
        }
        | manifest
    )
    with writing_bundle(path) as folder:
        encoder_outputs = {name: sizes[name] for name in outputs}
        (folder / ENCODER).write_bytes(_graph(encoder_nodes, inputs, encoder_outputs, encoder_constants))
        decoder = _graph(
            decoder_nodes, {"z": (-1, length)}, {"image": (-1, channels, height, width)}, decoder_constants
        )
        (folder / DECODER).write_bytes(decoder)
        np.savez(folder / CODEBOOK, matrix=matrix.astype(np.float32), offset=np.zeros(length, np.float32))
        np.savez(folder / GOLDEN, **{name: array.astype(np.float32) for name, array in golden.items()})
        (folder / CARD).write_text("A toy.\n")
        seal(folder, described)
    return path


def _latents(attributes: Attributes, kind: Kind) -> tuple[tuple[Part, ...], np.ndarray]:
    """Parts, and the codebook's matrix [sum K, D]."""
    parts = []
    if kind == "onehot":
        for a in attributes:
            columns = attributes.columns(a.name)
            parts.append(Part(attribute=a.name, start=columns.start, stop=columns.stop))
        return tuple(parts), np.eye(attributes.total)
    matrix = np.zeros((attributes.total, len(attributes)))
    for index, a in enumerate(attributes):
        mixing = "nearest" if a.kind in ("nominal", "circular") else "linear"
        parts.append(Part(attribute=a.name, start=index, stop=index + 1, mixing=mixing))
        matrix[attributes.columns(a.name), index] = STYLE_SCALE if a.kind == "continuous" else np.arange(a.size)
    return tuple(parts), matrix


def _spec(inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]) -> GraphSpec:
    def tensors(named: dict[str, tuple[int, ...]]) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(name=name, shape=shape) for name, shape in named.items())

    return GraphSpec(inputs=tensors(inputs), outputs=tensors(outputs))


def _graph(
    nodes: Sequence[Any],
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
    constants: dict[str, np.ndarray],
) -> bytes:
    def values(named: dict[str, tuple[int, ...]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape[1:]])
            for name, shape in named.items()
        ]

    used = {name for node in nodes for name in node.input}
    initializers = [
        numpy_helper.from_array(a if a.dtype == np.int64 else a.astype(np.float32), name)
        for name, a in constants.items()
        if name in used
    ]
    graph = helper.make_graph(list(nodes), "toy", values(inputs), values(outputs), initializers)
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
