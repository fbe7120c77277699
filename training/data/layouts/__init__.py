"""How people lay out sprites and labels: one reader for each layout, told apart by what lies there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.files import Folder, is_archive, open_files
from training.data.layouts import (
    atlas_json,
    atlas_xml,
    class_folders,
    file_names,
    grid,
    hdf5,
    npz,
    parquet,
    table,
    tiled,
    webdataset,
)
from training.data.listing import Listing, Place
from training.data.reading import Reading


class Layout(Protocol):
    """A module of this package."""

    NAME: str
    """As ``--layout`` takes it."""
    NEEDS: str
    """What must lie there, in words."""

    def found(self, place: Place, reading: Reading) -> Sequence[object]:
        """What of the place is laid out so; empty if nothing is."""

    def read(self, place: Place, reading: Reading, faults: Faults) -> Listing:
        """Everything that is laid out so. Raises DataError."""


# In the order in which they are tried: what people say, then tables, arrays and descriptions, then folders.
LAYOUTS: dict[str, Layout] = {
    module.NAME: module
    for module in (
        file_names,
        grid,
        table,
        parquet,
        npz,
        hdf5,
        tiled,
        atlas_xml,
        atlas_json,
        webdataset,
        class_folders,
    )
}


def read_listing(path: Path, reading: Reading, faults: Faults) -> Listing:
    """The pictures and cells at ``path``, by the layout that is asked for or else found; raises DataError."""
    place = _place(path)
    if reading.layout:
        layout = LAYOUTS.get(reading.layout)
        if layout is None:
            raise DataError(f"--layout {reading.layout!r}: there is {', '.join(LAYOUTS)}")
        if not layout.found(place, reading):
            raise DataError(f"{path}: --layout {layout.NAME} needs {layout.NEEDS}")
    else:
        # A pattern tells what the names of an atlas's frames say, too.
        order = [each for each in LAYOUTS.values() if each is not file_names or not _is_described(place, reading)]
        layout = next((each for each in order if each.found(place, reading)), None)
        if layout is None:
            needs = "; ".join(each.NEEDS for each in LAYOUTS.values())
            raise DataError(f"{path}: holds nothing that can be read; accepts {needs}")
    return layout.read(place, reading, faults)


def _is_described(place: Place, reading: Reading) -> bool:
    return any(LAYOUTS[name].found(place, reading) for name in (atlas_xml.NAME, atlas_json.NAME))


def _place(path: Path) -> Place:
    """The files at a path: all of a folder or an archive, or one file with its neighbours."""
    if path.is_dir() or is_archive(path):
        files = open_files(path)
        return Place(files=files, chosen=files.names, shown=str(path))
    return Place(files=Folder(path.parent), chosen=[path.name], shown=str(path))
