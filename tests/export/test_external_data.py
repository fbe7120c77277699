"""Graphs that would have onnxruntime read other files, or its own memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import Descriptor
from onnx import FunctionProto, GraphProto, ModelProto, SparseTensorProto, TensorProto, TrainingInfoProto, helper

from export.bundle import BundleError, read_bundle
from export.external_data import MAX_FIELDS, MESSAGES, refuse_external_data
from service.inference.repository import SHIPPED
from tests.export.conftest import replace_sealed
from tests.service.toys import toy_bundle

ENCODER = (SHIPPED / "dsprites" / "encoder.onnx").read_bytes()


def external() -> TensorProto:
    """A tensor whose data are in another file."""
    tensor = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "etc/passwd"
    return tensor


def without_place() -> TensorProto:
    return TensorProto(name="outside", data_location=TensorProto.EXTERNAL)


def without_location() -> TensorProto:
    tensor = external()
    tensor.ClearField("data_location")
    return tensor


TENSORS = [external, without_place, without_location]


def subgraph(tensor: TensorProto) -> GraphProto:
    return helper.make_graph([], "inner", [], [], [tensor])


def node(**attributes: object) -> onnx.NodeProto:
    return helper.make_node("If", [], ["y"], **attributes)


def sparse(tensor: TensorProto, part: str) -> SparseTensorProto:
    other = helper.make_tensor("inside", TensorProto.INT64, [1], [0])
    return SparseTensorProto(**{"values": other, "indices": other, part: tensor})


PLACES: dict[str, Callable[[ModelProto, TensorProto], object]] = {
    "an initializer": lambda model, t: model.graph.initializer.append(t),
    "a sparse initializer's values": lambda model, t: model.graph.sparse_initializer.append(sparse(t, "values")),
    "a sparse initializer's indices": lambda model, t: model.graph.sparse_initializer.append(sparse(t, "indices")),
    "an attribute": lambda model, t: model.graph.node.append(node(value=t)),
    "one of an attribute's tensors": lambda model, t: model.graph.node.append(node(value=[t])),
    "an attribute's sparse tensor": lambda model, t: model.graph.node.append(node(value=sparse(t, "values"))),
    "a subgraph": lambda model, t: model.graph.node.append(node(then_branch=subgraph(t))),
    "one of an attribute's graphs": lambda model, t: model.graph.node.append(node(branches=[subgraph(t)])),
    "a subgraph of a subgraph": lambda model, t: model.graph.node.append(
        node(body=helper.make_graph([node(body=subgraph(t))], "middle", [], []))
    ),
    "a function": lambda model, t: model.functions.append(FunctionProto(node=[node(value=t)])),
    "a function's default": lambda model, t: model.functions.append(
        FunctionProto(attribute_proto=[helper.make_attribute("value", t)])
    ),
    "what is for training": lambda model, t: model.training_info.append(TrainingInfoProto(algorithm=subgraph(t))),
}


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_data_in_other_files_are_refused_wherever_they_are_named(
    place: Callable[[ModelProto, TensorProto], object], tensor: Callable[[], TensorProto]
) -> None:
    model = onnx.load_model_from_string(ENCODER)
    place(model, tensor())
    with pytest.raises(ValueError, match="external_data"):
        refuse_external_data(model.SerializeToString())


def test_a_bundle_whose_graph_names_another_file_is_refused(tmp_path: Path) -> None:
    def change(content: bytes) -> bytes:
        model = onnx.load_model_from_string(content)
        model.graph.initializer.append(external())
        return model.SerializeToString()

    path = toy_bundle(tmp_path / "toy")
    replace_sealed(path, "decoder.onnx", change)
    with pytest.raises(BundleError, match=r"decoder\.onnx: .*external_data"):
        read_bundle(path)


def holds_tensors(message: Descriptor, seen: tuple[str, ...] = ()) -> bool:
    """Whether a tensor can lie somewhere in a message of onnx.proto."""
    if message.name == "TensorProto":
        return True
    below = [field.message_type for field in message.fields if field.message_type]
    return any(holds_tensors(each, (*seen, message.name)) for each in below if each.name not in (*seen, message.name))


def test_every_place_of_a_tensor_in_the_format_is_known() -> None:
    """The table is what onnx's own description of the format gives."""
    expected: dict[str, dict[int, str]] = {}
    waiting: list[Descriptor] = [ModelProto.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        if message.name not in expected:
            inner = [f for f in message.fields if f.message_type and holds_tensors(f.message_type)]
            expected[message.name] = {field.number: field.message_type.name for field in inner}
            waiting += [field.message_type for field in inner]
    assert expected == MESSAGES


def test_compiled_code_is_refused() -> None:
    model = onnx.load_model_from_string(ENCODER)
    model.graph.node.append(helper.make_node("EPContext", [], ["y"], domain="com.microsoft", ep_cache_context="a.so"))
    with pytest.raises(ValueError, match="EPContext, which is compiled code"):
        refuse_external_data(model.SerializeToString())


def test_a_graph_of_its_own_passes() -> None:
    refuse_external_data(ENCODER)
    default = helper.make_tensor("inside", TensorProto.FLOAT, [1], [0.5])
    default.data_location = TensorProto.DEFAULT
    refuse_external_data(ModelProto(graph=GraphProto(initializer=[default])).SerializeToString())


@pytest.mark.parametrize(
    "content",
    [
        b"\x3a",  # a length is missing
        b"\x3a\x05ab",  # and is too large
        b"\x08" + b"\xff" * 11,  # a number without end
        b"\x09\x00",  # a number of eight bytes
        b"\x3b\x3c",  # a group
        # the key of field 7 with a bit beyond those that parsers keep
        b"\xba\x80\x80\x80\x10\x00",
        ENCODER[:-1],
    ],
)
def test_what_is_no_graph_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no ONNX graph, or a damaged one"):
        refuse_external_data(content)


def test_tiny_fields_without_end_are_refused() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_FIELDS} fields"):
        refuse_external_data(b"\x08\x01" * (MAX_FIELDS + 1))


def test_other_bits_of_the_location_hide_nothing() -> None:
    """Of a number for an enumeration, parsers keep 32 bits."""
    far = bytes([14 << 3]) + b"\x81\x80\x80\x80\x10"  # data_location = 1 + 2**32
    assert TensorProto.FromString(far).data_location == TensorProto.EXTERNAL
    graph = bytes([5 << 3 | 2, len(far)]) + far
    with pytest.raises(ValueError, match="external_data"):
        refuse_external_data(bytes([7 << 3 | 2, len(graph)]) + graph)


@pytest.mark.parametrize("seed", range(20))
def test_no_damage_is_more_than_a_value_error(seed: int) -> None:
    draw = np.random.default_rng(seed)
    content = bytearray((SHIPPED / "dsprites" / "decoder.onnx").read_bytes()[: draw.integers(1, 20_000)])
    for _ in range(draw.integers(1, 50)):
        content[draw.integers(len(content))] = draw.integers(256)
    with suppress(ValueError):
        refuse_external_data(bytes(content))
