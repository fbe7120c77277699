"""npy files: arrays of images. The header is checked before anything is allocated."""

from __future__ import annotations

from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from service.codecs.errors import ImageError

ACCEPTED = "uint8 0..255 or float 0..1 as H x W, H x W x C, N x H x W or N x H x W x C with C = 1, 3 or 4"


def read_array(data: bytes, where: str, max_items: int, max_pixels: int) -> NDArray[Any]:
    """Images [N, H, W, C] as uint8 or float32 in 0..1; raises ImageError 400, 413 or 422."""
    shape, fortran, dtype, offset = _header(data, where)
    if dtype != np.uint8 and dtype.kind != "f":
        raise _refuse(where, f"dtype {dtype.name}")
    if not 2 <= len(shape) <= 4 or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
        raise _refuse(where, f"shape {list(shape)}")
    count, height, width, _ = full = _four_axes(shape)
    if count > max_items:
        raise ImageError(413, f"{where}: {count} images; accepts at most {max_items}", where=where)
    if height * width > max_pixels:
        raise ImageError(413, f"{where}: {width}x{height} pixels; accepts at most {max_pixels} pixels", where=where)
    if len(data) - offset != prod(shape) * dtype.itemsize:
        message = f"{where}: damaged: {len(data) - offset} bytes of data for shape {list(shape)}"
        raise ImageError(400, message, where=where)
    flat = np.frombuffer(data, dtype, offset=offset)
    array = flat.reshape(shape, order="F" if fortran else "C").reshape(full)
    if dtype == np.uint8:
        return array
    if not (array.min() >= 0 and array.max() <= 1):  # NaN fails both comparisons
        raise _refuse(where, f"values from {array.min():g} to {array.max():g}")
    return array.astype(np.float32)


def _header(data: bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    stream = BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except Exception as error:  # numpy evaluates the header as Python, which raises almost any exception
        raise ImageError(400, f"{where}: damaged or no npy file: {type(error).__name__}", where=where) from None
    if any(length < 0 for length in shape):
        raise ImageError(400, f"{where}: damaged: shape {list(shape)}", where=where)
    return shape, fortran, dtype, stream.tell()


def _four_axes(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    if len(shape) == 4:
        return shape
    if len(shape) == 3 and shape[2] in (1, 3, 4):
        return (1, *shape)
    height, width = shape[-2:]
    return (shape[0] if len(shape) == 3 else 1), height, width, 1


def _refuse(where: str, got: str) -> ImageError:
    return ImageError(422, f"{where}: got {got}; accepts {ACCEPTED}", where=where, got=got, accepted=ACCEPTED)
