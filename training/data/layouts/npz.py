"""``.npz``: arrays of numpy."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from training.data.array_pictures import BLOCK, ArrayPictures
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.factor_arrays import image_array, listing_of
from training.data.listing import Listing, Place
from training.data.reading import Reading

NAME = "npz"
NEEDS = "arrays of images and labels (.npz)"


def found(place: Place, reading: Reading) -> list[str]:
    """The files of arrays."""
    return [name for name in place.chosen if name.lower().endswith(".npz")]


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images with their labels; raises DataError if the file is damaged, or there are several."""
    names = found(place, reading)
    path = place.files.path / names[0]
    if len(names) > 1 or not path.is_file():
        raise DataError(f"{place.shown}: name one file .npz, not in an archive; it holds {', '.join(names[:5])}")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
            images = image_array(list(members), path)
            with archive.open(members[images]) as file:
                shape, in_columns, dtype = _head(file)
            others = {name: _small(archive, member) for name, member in members.items() if name != images}
    except DataError:
        raise
    except Exception as error:  # numpy, zipfile and zlib raise many kinds of exceptions for damaged files
        raise DataError(f"{path}: can't be read as npz ({error or type(error).__name__})") from error
    if in_columns and len(shape) > 1:
        raise DataError(
            f"{path}: {images} is stored column by column (Fortran order); save it with numpy.ascontiguousarray"
        )
    where = f"{path}, {images}"
    pictures = ArrayPictures(
        where,
        f"{where} {place.files.state(names[0])}",
        shape,
        dtype,
        lambda: _blocks(path, members[images], shape, dtype),
    )
    arrays = {name: array for name, array in others.items() if array is not None}
    return listing_of(path, pictures, arrays)


def _head(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of an array; the file is then at its first value."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, in_columns, dtype = read(file)
    return shape, in_columns, dtype


def _small(archive: zipfile.ZipFile, member: str) -> NDArray[Any] | None:
    """An array of labels or names; None for one of objects, which only pickle could read."""
    with archive.open(member) as file:
        try:
            return npy.read_array(file, allow_pickle=False)
        except ValueError:
            return None


def _blocks(path: Path, member: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """The array in blocks of rows, without ever holding all of it."""
    size = int(np.prod(shape[1:])) * dtype.itemsize
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            _head(file)
            for start in range(0, shape[0], BLOCK):
                rows = min(BLOCK, shape[0] - start)
                data = file.read(rows * size)
                if len(data) != rows * size:
                    raise DataError(f"{path}: {member} ends in row {start + len(data) // size} of {shape[0]}")
                yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: {member} is damaged ({error})") from error
