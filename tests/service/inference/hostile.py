"""Bundles whose graphs are valid, and take more than there is."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.bundle import DECODER
from tests.export.conftest import replace_sealed
from tests.service.toys import toy_bundle


def endless(path: Path) -> Path:
    """A toy whose decoder never ends."""
    types = (("round", TensorProto.INT64), ("on", TensorProto.BOOL), ("value", TensorProto.FLOAT))
    inputs = [helper.make_tensor_value_info(name, kind, []) for name, kind in types]
    outputs = [helper.make_tensor_value_info(f"next_{name}", kind, []) for name, kind in types[1:]]
    same = [helper.make_node("Identity", [name], [f"next_{name}"]) for name, _ in types[1:]]
    body = helper.make_graph(same, "body", inputs, outputs)
    node = helper.make_node("Loop", ["", "true", "zero"], ["extra"], body=body)
    return _with(path, [node], true=np.array(True), zero=np.array(0, np.float32))


def huge(path: Path) -> Path:
    """A toy whose decoder sums up 8 TiB of zeros."""
    nodes = [
        helper.make_node("ConstantOfShape", ["length"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["extra"], keepdims=0),
    ]
    return _with(path, nodes, length=np.array([2**41]))


def _with(path: Path, nodes: list[onnx.NodeProto], **constants: np.ndarray) -> Path:
    """A toy whose decoder adds ``extra``, which these nodes make, to its pixels."""
    toy_bundle(path)
    replace_sealed(path, DECODER, partial(_adding, nodes=nodes, constants=constants))
    return path


def _adding(graph: bytes, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> bytes:
    model = onnx.load_model_from_string(graph)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    *before, last = model.graph.node
    added = helper.make_node("Add", [last.input[0], "extra"], ["together"])
    last.input[0] = "together"
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *before, added, last])
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()
