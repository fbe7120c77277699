from __future__ import annotations

import io

import numpy as np
import pytest

from service.codecs.errors import ImageError
from service.codecs.npy import read_array


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def read(data: bytes) -> np.ndarray:
    return read_array(data, "the body", 16, 2**16)


@pytest.mark.parametrize(
    ("shape", "read_as"),
    [
        ((5, 7), (1, 5, 7, 1)),
        ((5, 7, 3), (1, 5, 7, 3)),
        ((5, 7, 4), (1, 5, 7, 4)),
        ((5, 7, 1), (1, 5, 7, 1)),
        ((2, 5, 7), (2, 5, 7, 1)),
        ((2, 5, 7, 3), (2, 5, 7, 3)),
    ],
)
def test_axes_are_read_as_documented(shape: tuple[int, ...], read_as: tuple[int, ...]):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(read(npy(array)), array.reshape(read_as))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_floats_of_any_kind_and_order_are_taken(dtype: str, order: str):
    array = np.asarray(np.linspace(0, 1, 30).reshape(2, 5, 3), dtype=dtype, order=order)
    np.testing.assert_allclose(read(npy(array))[0], array, atol=1e-3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 5), np.int32),
        np.zeros((5, 5), bool),
        np.zeros((5, 5), complex),
        np.zeros((5, 5), "S3"),
        np.zeros((5, 5), [("a", "u1")]),
        np.zeros(5, np.uint8),
        np.zeros((1, 5, 5, 2), np.uint8),
        np.zeros((1, 1, 5, 5, 1), np.uint8),
        np.zeros((0, 5, 5), np.uint8),
        np.full((5, 5), np.nan),
        np.full((5, 5), np.inf),
        np.full((5, 5), 1.01),
        np.full((5, 5), -0.01),
        np.full((5, 5), 255.0),
    ],
)
def test_arrays_that_are_no_images_are_a_422_that_says_what_is_accepted(array: np.ndarray):
    with pytest.raises(ImageError) as caught:
        read(npy(array))
    assert caught.value.status == 422
    assert "uint8" in caught.value.members["accepted"]


def header(shape: str, descr: str = "|u1") -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("shape", ["(17, 5, 5)", "(100000, 100000)", "(4, 1000000000000)"])
def test_a_shape_past_the_limits_is_refused_by_the_header(shape: str):
    with pytest.raises(ImageError) as caught:
        read(header(shape) + b"\0" * 16)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        header("(4, 4)") + b"\0" * 15,
        header("(4, 4)") + b"\0" * 17,
        header("(-4, -4)") + b"\0" * 16,
        header("(4, 4"),
        header("[" * 2000),
        header("(4, 4)", "|O") + b"\0" * 128,
        npy(np.zeros((4, 4), np.uint8))[:40],
    ],
)
def test_damaged_files_are_a_400(data: bytes):
    with pytest.raises(ImageError) as caught:
        read(data)
    assert caught.value.status in (400, 422)
    if b"|O" not in data:
        assert caught.value.status == 400


def test_objects_are_never_unpickled():
    out = io.BytesIO()
    np.save(out, np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError) as caught:
        read(out.getvalue())
    assert caught.value.status == 422
