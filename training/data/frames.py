"""Animations: each frame an image, with its number as the attribute ``frame``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from training.data.array_pictures import ArrayPictures
from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import Listing
from training.data.pictures import Animation, Frame, Picture

FRAME = "frame"


def expand_frames(listing: Listing, faults: Faults) -> Listing:
    """The listing with a row for each frame of its pictures; raises DataError if it has a column ``frame`` already."""
    if isinstance(listing.pictures, ArrayPictures):
        raise DataError(f"{listing.source}: --frames is for animations, not for arrays")
    if FRAME in listing.columns:
        raise DataError(f"{listing.source}: has a column {FRAME!r} already, which --frames would make")
    pictures: list[Picture] = []
    rows: list[int] = []
    numbers: list[str] = []
    with tqdm(listing.pictures, desc="frames", leave=False) as progress:
        for row, picture in enumerate(progress):
            try:
                with picture.open() as image:
                    count = getattr(image, "n_frames", 1)
            except Exception as error:  # decoders raise almost any exception
                faults.report(f"{picture.where}: {picture.name!r} is damaged, or no image ({error})")
                continue
            animation = Animation(picture)
            pictures += [Frame(animation, number) for number in range(count)] if count > 1 else [picture]
            rows += [row] * count
            numbers += map(str, range(count))
    taken = np.array(rows, np.intp)
    columns = {name: cells.take(taken) for name, cells in listing.columns.items()}
    columns[FRAME] = Cells.of(numbers, lambda row: pictures[row].where)
    split = listing.split.take(taken) if listing.split else None
    return replace(listing, pictures=pictures, columns=columns, split=split)
