"""Arrays of an npz file: only those that are wanted, and none is inflated before its header says what is expected."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# Of all that are wanted together, once they are inflated.
MAX_BYTES = 256 * 2**20
MAX_MEMBERS = 64
# Every member has an entry in the zip's directory, which begins so.
_ENTRY = b"PK\1\2"
# Those of numpy. Others, such as LZMA, take as much memory as the file says.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
Shape = tuple[int, ...]


def read_arrays(content: bytes, wanted: Mapping[str, Shape]) -> dict[str, NDArray[Any]]:
    """Arrays of floats by their names and shapes, in which -1 is any number of rows, but the same in all.

    Raises ValueError for a file that can't be read, that lacks one, or in which one is of another type or shape, or too
    large.
    """
    if content.count(_ENTRY) > MAX_MEMBERS:
        raise ValueError(f"has more than {MAX_MEMBERS} arrays")
    try:
        with zipfile.ZipFile(BytesIO(content)) as members:
            headers = {name: _header(members, name) for name in wanted}
            _check(headers, wanted)
            return {name: _array(members, name) for name in wanted}
    except Exception as error:  # numpy, zipfile and zlib list nowhere what they raise for a damaged file
        raise ValueError(str(error) or type(error).__name__) from error


def _header(members: zipfile.ZipFile, name: str) -> tuple[Shape, np.dtype[Any]]:
    try:
        found = members.getinfo(f"{name}.npy")
    except KeyError:
        raise ValueError(f"lacks {name}") from None
    if found.compress_type not in _COMPRESSIONS:
        raise ValueError(f"{name} is compressed in another way than numpy compresses")
    with members.open(found) as file:
        # Headers of later versions may say that they have 4 GiB, which would be read.
        if (version := npy.read_magic(file)) != (1, 0):
            raise ValueError(f"{name} is of version {version} of the npy format; accepts (1, 0)")
        shape, _, dtype = npy.read_array_header_1_0(file)
    return shape, dtype


def _check(headers: Mapping[str, tuple[Shape, np.dtype[Any]]], wanted: Mapping[str, Shape]) -> None:
    rows = next((headers[name][0][:1] for name, shape in wanted.items() if shape[0] == -1), ())
    for name, (shape, dtype) in headers.items():
        expected = (*rows, *wanted[name][1:]) if wanted[name][0] == -1 else wanted[name]
        if dtype.kind != "f" or shape != expected or 0 in shape:
            raise ValueError(f"{name} is {dtype} {list(shape)}; needs floats {list(wanted[name])}, rows being the same")
    size = sum(prod(shape) * dtype.itemsize for shape, dtype in headers.values())
    if size > MAX_BYTES:
        raise ValueError(f"has {size} bytes of arrays; accepts at most {MAX_BYTES}")


def _array(members: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with members.open(f"{name}.npy") as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    return array
