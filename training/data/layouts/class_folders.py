"""A folder for each class, nested where there are several attributes: ``kingdom/kind/1.png``.

Folders at the top that are named ``train``, ``test`` and so on say which part of the data an image belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import PARTS, SPLIT, Listing, Place, parts_of, pictures_at
from training.data.pictures import PictureFile, is_picture
from training.data.reading import Reading

NAME = "folders"
NEEDS = "a folder of images for each class"
DEFAULT = "class"


def found(place: Place, reading: Reading) -> list[str]:
    """The images in folders, if there is no other."""
    images = [name for name in place.chosen if is_picture(name)]
    return images if images and all("/" in name for name in images) else []


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images with the names of their folders."""
    images = [name for name in place.chosen if is_picture(name)]
    folders = [PurePosixPath(name).parent.parts for name in images]
    tops = {parts[0].lower() if parts else "" for parts in folders}
    split = tops <= PARTS.keys() and reading.levels[:1] != (SPLIT,)
    levels = (SPLIT,) * split + (reading.levels or (DEFAULT,))
    _check_levels(levels)
    kept = []
    for name, parts in zip(images, folders, strict=True):
        if len(parts) == len(levels):
            kept.append((name, parts))
        else:
            faults.report(_depth_fault(place, name, levels, folders))
    pictures = pictures_at(place.shown, (PictureFile(place.files, n, n, place.shown) for n, _ in kept))
    where = f"{place.shown}, {{}}"
    columns = {
        level: Cells.of((parts[i] for _, parts in kept), lambda row: where.format(kept[row][0]))
        for i, level in enumerate(levels)
    }
    return Listing(
        source=place.shown,
        pictures=pictures,
        split=parts_of(columns) if split else None,
        columns=columns,
        kinds={level: Override(name=level, kind="nominal") for level in columns},
    )


def _check_levels(levels: Sequence[str]) -> None:
    for level, count in Counter(levels).items():
        if not level.isidentifier() or count > 1:
            raise DataError(f"--levels: {'/'.join(levels)!r}: each level needs a name of its own, as in kingdom/kind")


def _depth_fault(place: Place, name: str, levels: Sequence[str], folders: Sequence[tuple[str, ...]]) -> str:
    depths = Counter(map(len, folders))
    counts = ", ".join(f"{count:,} in {depth}" for depth, count in sorted(depths.items()))
    return (
        f"{place.shown}: {name!r} lies in {len(PurePosixPath(name).parent.parts)} folders, not in "
        f"{len(levels)} ({'/'.join(levels)}); images by the number of folders that they lie in: {counts}; "
        "name the levels with --levels, as in --levels kingdom/kind"
    )
