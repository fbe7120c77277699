"""Refuses ONNX graphs that hold less than all they need: tensors or compiled code that lie outside of the file.

onnxruntime would read them from the disk, or from wherever in the memory of this process they are said to lie. What is
walked here is the wire format (protobuf.dev/programming-guides/encoding), so that nothing is loaded before it is known.
"""

from __future__ import annotations

from collections.abc import Iterator

# The messages of onnx.proto that hold tensors, and in which of their fields: by number, the messages there.
MESSAGES: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}
# Fields of a tensor that say where its data are, and the one of a node that says what it does.
EXTERNAL_DATA, DATA_LOCATION, OP_TYPE = 13, 14, 4
# A node that holds, or names the file of, what an execution provider has compiled.
COMPILED = b"EPContext"
# Graphs have some ten thousand at most; going through a million takes a second.
MAX_FIELDS = 2**20
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def refuse_external_data(graph: bytes) -> None:
    """Raises ValueError unless all tensors of an ONNX graph, those of its subgraphs and functions too, are in it."""
    waiting = [("ModelProto", memoryview(graph))]
    seen = 0
    while waiting:
        message, content = waiting.pop()
        for number, value in _fields(content):
            seen += 1
            if seen > MAX_FIELDS:
                raise ValueError(f"has more than {MAX_FIELDS} fields")
            if message == "TensorProto" and (number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)):
                raise ValueError("holds a tensor whose data lie outside of it (external_data), and so in other files")
            if not isinstance(value, memoryview):
                continue
            if message == "NodeProto" and number == OP_TYPE and bytes(value) == COMPILED:
                raise ValueError(f"holds a node {COMPILED.decode()}, which is compiled code")
            if inner := MESSAGES[message].get(number):
                waiting.append((inner, value))


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; those of a fixed length, which hold numbers only, are 0."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: int | memoryview = 0
        if kind == VARINT:
            value, at = _varint(message, at)
        elif kind == LENGTH:
            length, at = _varint(message, at)
            value = message[at : at + length]
            at += length
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            at += 8 if kind == EIGHT_BYTES else 4
        # Parsers drop the bits of a key beyond 32, and what is then left may be another field.
        if key >= 2**32 or kind not in (VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES) or at > end:
            raise ValueError("is no ONNX graph, or a damaged one")
        yield number, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends."""
    number = 0
    for index, byte in enumerate(message[at : at + 10]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, at + index + 1
    raise ValueError("is no ONNX graph, or a damaged one")
