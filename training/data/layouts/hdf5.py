"""HDF5: 3D Shapes, dSprites' HDF5, and files like them. Needs ``spritevae[hdf5]``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from training.data.array_pictures import BLOCK, ArrayPictures
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.factor_arrays import image_array, listing_of
from training.data.listing import Listing, Place
from training.data.reading import Reading

NAME = "hdf5"
NEEDS = "arrays of images and labels (.h5, .hdf5)"


def found(place: Place, reading: Reading) -> list[str]:
    """The files of arrays."""
    return [name for name in place.chosen if name.lower().endswith((".h5", ".hdf5"))]


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images with their labels; raises DataError if the file is damaged, or there are several."""
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"{place.shown}: HDF5 needs h5py: pip install 'spritevae[hdf5]'") from error
    names = found(place, reading)
    path = place.files.path / names[0]
    if len(names) > 1 or not path.is_file():
        raise DataError(f"{place.shown}: name one file, not in an archive; it holds {', '.join(names[:5])}")
    try:
        with h5py.File(path, "r") as file:
            arrays: dict[str, Any] = {}
            file.visititems(lambda name, each: arrays.update({name: each} if isinstance(each, h5py.Dataset) else {}))
            images = image_array(list(arrays), path)
            shape, dtype = arrays[images].shape, arrays[images].dtype
            others = {name: array[()] for name, array in arrays.items() if name != images}
    except DataError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError and more for damaged files
        raise DataError(f"{path}: can't be read as HDF5 ({error})") from error
    where = f"{path}, {images}"
    pictures = ArrayPictures(
        where, f"{where} {place.files.state(names[0])}", shape, dtype, lambda: _blocks(path, images)
    )
    return listing_of(path, pictures, others)


def _blocks(path: Path, name: str) -> Iterator[NDArray[Any]]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            for start in range(0, len(file[name]), BLOCK):
                yield file[name][start : start + BLOCK]
    except Exception as error:  # as above
        raise DataError(f"{path}: {name} is damaged ({error})") from error
