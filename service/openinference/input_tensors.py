"""Input tensors: checked against the model's interface, then read from the JSON or from the bytes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import msgspec
import numpy as np

from attributes import Float32
from service.openinference.interfaces import Interface, TensorType
from service.openinference.protocol import Tensor, TensorParameters, readable
from service.problems import Problem

FLOAT = np.dtype("<f4")
# Decoders of nested lists of numbers, by their depth.
LISTS: list[msgspec.json.Decoder[Any]] = [
    msgspec.json.Decoder(kind)
    for kind in (float, list[float], list[list[float]], list[list[list[float]]], list[list[list[list[float]]]])
]


def read(given: Sequence[Tensor], binary: memoryview, interface: Interface, max_items: int) -> dict[str, Float32]:
    """The inputs of a request by name, each [B, ...]; raises Problem 400, 413 or 422 that names the input.

    ``binary`` is what follows the JSON; arrays lie in it, unless it is not aligned.
    """
    accepted = {tensor.name: tensor for tensor in (*interface.inputs, *interface.optional)}
    arrays: dict[str, Float32] = {}
    for index, tensor in enumerate(given):
        where = f"inputs[{index}]"
        if tensor.name not in accepted or tensor.name in arrays:
            raise _refuse(f"{where}.name", repr(tensor.name)[:80], f"each once: {', '.join(accepted)}")
        declared = accepted[tensor.name]
        _check_type(tensor, declared, where, max_items)
        size = (tensor.parameters or TensorParameters()).binary_data_size
        if size is None:
            array = _from_json(tensor, where)
        else:
            array, binary = _from_binary(tensor, size, binary, where), binary[size:]
        _check_range(array, declared, where)
        arrays[tensor.name] = array
    if binary:
        raise Problem(400, f"the body: {len(binary)} bytes behind the JSON that no input's binary_data_size announces")
    _check_complete(arrays, interface)
    return arrays


def _check_type(tensor: Tensor, declared: TensorType, where: str, max_items: int) -> None:
    if tensor.datatype != declared.datatype:
        raise _refuse(f"{where}.datatype", repr(tensor.datatype)[:80], f"{declared.datatype!r} for {declared.name}")
    if tensor.shape[1:] != [*declared.shape[1:]] or tensor.shape[0] < 1:
        raise _refuse(f"{where}.shape", str(tensor.shape[:8])[:80], f"{[*declared.shape]} with 1 item or more")
    if tensor.shape[0] > max_items:
        raise Problem(413, f"{where}.shape: {str(tensor.shape[0])[:20]} items; accepts at most {max_items}")
    if tensor.parameters and tensor.parameters.shared_memory_region is not None:
        raise _refuse(f"{where}.parameters", "shared_memory_region", "binary_data_size, or data")


def _from_binary(tensor: Tensor, announced: int, binary: memoryview, where: str) -> Float32:
    count = prod(tensor.shape)
    size = FLOAT.itemsize * count
    if tensor.data is not msgspec.UNSET:
        raise _refuse(where, "both data and binary_data_size", "one of them")
    if announced != size:
        raise _refuse(f"{where}.parameters.binary_data_size", str(announced)[:20], f"{size} for shape {tensor.shape}")
    if len(binary) < size:
        raise Problem(400, f"{where}: the body has only {len(binary)} of its {size} bytes behind the JSON", where=where)
    array = np.frombuffer(binary, FLOAT, count).reshape(tensor.shape)
    return np.require(array, np.float32, "A")


def _from_json(tensor: Tensor, where: str) -> Float32:
    if tensor.data is msgspec.UNSET:
        raise _refuse(where, "neither data nor binary_data_size", "one of them")
    text, where = bytes(tensor.data), f"{where}.data"
    count, shape = prod(tensor.shape), tuple(tensor.shape)
    # Counted first, so that a wrong number of values takes no memory.
    if (found := text.count(b",") + 1) != count:
        raise _refuse(where, f"{found if text[1:-1].strip() else 0} values", f"{count} for shape {tensor.shape}")
    nested = text[1:].lstrip().startswith(b"[")
    try:
        values = LISTS[len(shape) if nested else 1].decode(text)
        with np.errstate(over="ignore"):  # a number that overflows is out of range, which is checked below
            array = np.array(values, np.float32)
    except msgspec.DecodeError as error:
        raise Problem(422, readable(error, where), where=where) from None
    except ValueError:  # rows of different lengths, or broken UTF-8
        raise _refuse(where, "lists of different lengths", f"shape {tensor.shape}, or a flat list") from None
    if array.shape not in (shape, (count,)):
        raise _refuse(where, f"lists of shape {[*array.shape]}", f"shape {tensor.shape}, or a flat list")
    return array.reshape(shape)


def _check_range(array: Float32, declared: TensorType, where: str) -> None:
    # A comparison with NaN is false, so NaN is out of range.
    good = (array >= declared.low) & (array <= declared.high)
    if not good.all():
        place = tuple(int(i) for i in np.argwhere(~good)[0])
        low, high = (np.broadcast_to(bound, array.shape)[place] for bound in (declared.low, declared.high))
        at = ", ".join(map(str, place))
        raise _refuse(f"{where}: {declared.name}[{at}]", f"{array[place]:g}", f"a number from {low:g} to {high:g}")


def _check_complete(arrays: dict[str, Float32], interface: Interface) -> None:
    optional = [tensor.name for tensor in interface.optional]
    needed = [tensor.name for tensor in interface.inputs]
    if arrays.keys() & set(optional):
        needed += optional
    if missing := [name for name in needed if name not in arrays]:
        hint = f" (optional, but together: {', '.join(optional)})" if optional else ""
        raise Problem(422, f"inputs: lack {', '.join(missing)}{hint}")
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise Problem(422, f"inputs: of different numbers of items: {counts}")


def _refuse(where: str, got: str, accepted: str) -> Problem:
    return Problem(422, f"{where}: got {got}; accepts {accepted}", where=where, got=got, accepted=accepted)
