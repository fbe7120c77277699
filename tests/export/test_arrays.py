"""npz files: what is wanted of them, and what is refused by its header."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from numpy.lib import format as npy
from numpy.typing import ArrayLike

from export.arrays import MAX_BYTES, MAX_MEMBERS, read_arrays
from tests.export.conftest import NPZ_DAMAGE

MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def saved(save: Callable[..., None] = np.savez, **arrays: ArrayLike) -> bytes:
    """An npz file."""
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def header(shape: tuple[int, ...], dtype: str = "<f4", version: tuple[int, int] = (1, 0)) -> bytes:
    """The header of an npy file, without any data."""
    file = io.BytesIO()
    write = npy.write_array_header_1_0 if version == (1, 0) else npy.write_array_header_2_0
    write(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
def test_arrays_come_back_as_they_were_saved(save: Callable[..., None], dtype: str) -> None:
    content = saved(save, matrix=MATRIX.astype(dtype), transposed=np.asfortranarray(MATRIX), offset=MATRIX[0])
    found = read_arrays(content, {"matrix": (2, 3), "transposed": (-1, 3), "offset": (3,)})
    assert list(found) == ["matrix", "transposed", "offset"]
    np.testing.assert_array_equal(found["matrix"], MATRIX)
    np.testing.assert_array_equal(found["transposed"], MATRIX)
    np.testing.assert_array_equal(found["offset"], MATRIX[0])


def test_what_is_not_wanted_is_not_read() -> None:
    """A member that no reader could read is passed over."""
    content = zipped({"a.npy": saved_npy(MATRIX), "huge.npy": header((2**60,)), "b.npy": b"no npy", "c": b"?"})
    assert list(read_arrays(content, {"a": (-1, 3)})) == ["a"]


def saved_npy(array: ArrayLike) -> bytes:
    """An npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved(b=MATRIX), "lacks a"),
        (saved(a=MATRIX[:, :2]), r"a is float32 \[2, 2\]; needs floats \[-1, 3\]"),
        (saved(a=MATRIX[0]), r"a is float32 \[3\]; needs"),
        (saved(a=MATRIX[:0]), r"a is float32 \[0, 3\]; needs"),
        (saved(a=MATRIX.astype(int)), r"a is int64 \[2, 3\]; needs floats"),
        (saved(a=MATRIX.astype(complex)), "a is complex128"),
        (saved(a=np.array([[None] * 3])), "a is object"),
        (zipped({"a.npy": header((2**40, 3))}), f"bytes of arrays; accepts at most {MAX_BYTES}"),
        (zipped({"a.npy": header((2**200, 3))}), f"bytes of arrays; accepts at most {MAX_BYTES}"),
        (zipped({"a.npy": header((2, 3))}), "EOF"),
        (zipped({"a.npy": header((2, 3), version=(2, 0))}), r"a is of version \(2, 0\) of the npy format"),
        (zipped({"a.npy": saved_npy(MATRIX)}, zipfile.ZIP_LZMA), "a is compressed in another way"),
        (zipped({"a.npy": saved_npy(MATRIX)}, zipfile.ZIP_BZIP2), "a is compressed in another way"),
        (zipped({f"{index}.npy": b"" for index in range(MAX_MEMBERS + 1)}), f"has more than {MAX_MEMBERS} arrays"),
        (zipped({"a.npy": b""}), "EOF"),
        (b"", "zip"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_arrays(content, {"a": (-1, 3)})


def test_arrays_of_other_rows_than_the_first_are_refused() -> None:
    with pytest.raises(ValueError, match=r"b is float32 \[1, 3\]"):
        read_arrays(saved(a=MATRIX, b=MATRIX[:1]), {"a": (-1, 3), "b": (-1, 3)})


def test_arrays_are_counted_together() -> None:
    half = header((MAX_BYTES // 8 + 1,))
    with pytest.raises(ValueError, match="bytes of arrays"):
        read_arrays(zipped({"a.npy": half, "b.npy": half}), {"a": (-1,), "b": (-1,)})


@pytest.mark.parametrize("damage", NPZ_DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_a_value_error(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_arrays(damage(saved(a=MATRIX)), {"a": (-1, 3)})


@pytest.mark.parametrize("seed", range(20))
def test_no_damage_is_more_than_a_value_error(seed: int) -> None:
    draw = np.random.default_rng(seed)
    whole = saved(np.savez_compressed if seed % 2 else np.savez, a=MATRIX, b=MATRIX[0])
    for _ in range(50):
        content = bytearray(whole)
        for _ in range(draw.integers(1, 6)):
            content[draw.integers(len(content))] = draw.integers(256)
        with suppress(ValueError):
            read_arrays(bytes(content), {"a": (-1, 3), "b": (3,)})
