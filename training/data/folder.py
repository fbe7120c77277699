"""A folder of your own images, with ``labels.csv`` beside them.

Images are still PNG, JPEG, GIF, BMP or WebP of one size. If any has transparency, all become RGBA; else if any has
colour (a palette counts as colour), all become RGB; else all are grey.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tqdm import tqdm

from attributes import CHANNEL_MODES, MAX_SIDE, MIN_SIDE, Attributes
from training.data.column_cells import described, read_column
from training.data.column_kinds import check_columns, infer_attributes, parse_attribute, positions_of
from training.data.dataset import Batch, DataError, Rows, lowest_tenth
from training.data.labels_csv import LABELS_CSV, ListedImage, read_table

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")


class FolderDataset:
    """The images and labels of a folder, held in memory.

    ``overrides`` are texts that ``parse_attribute`` reads. ``attributes`` are those of an earlier run: labels and
    ranges then stay as they were, though rows may have been added, and other columns are left out.
    Prints how each column was read. Raises DataError that names the file and its row: the number of the line, as an
    editor shows it.
    """

    ceilings: Mapping[str, float] = MappingProxyType({})

    def __init__(self, path: Path, overrides: Sequence[str] = (), attributes: Attributes | None = None) -> None:
        file = path / LABELS_CSV
        table, given = read_table(file), [parse_attribute(text) for text in overrides]
        kinds = {each.name: each.kind for each in (*given, *(attributes or ()))}
        columns = {
            name: read_column(cells, kinds.get(name), decimal_commas=table.decimal_commas)
            for name, cells in table.columns.items()
        }
        if attributes is None:
            attributes = infer_attributes(file, columns, given)
        elif given:
            raise DataError(f"{path}: its attributes are those of an earlier run; overrides can't change them")
        check_columns(file, columns, attributes)
        # Before the images, so that people see at once what was read otherwise than they meant it.
        print(f"{file}: {'; '.join([f'{len(table.images):,} rows', *table.notes])}", file=sys.stderr)
        print(*described(attributes, columns), sep="\n", file=sys.stderr, flush=True)
        self.attributes = attributes
        # [N, A]
        self._positions = np.stack([positions_of(each, columns[each.name]) for each in attributes], axis=1)
        self._images = _load(table.images)  # [N, H, W, C]
        height, width, channels = self._images.shape[1:]
        self.image_shape: tuple[int, int, int] = (height, width, channels)

    @property
    def content(self) -> str:
        """The SHA-256 of images and labels."""
        return hashlib.sha256(self._images.tobytes() + self._positions.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self._images)

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B], in the order of the CSV."""
        positions = self._positions[rows]
        known = ~np.isnan(positions)
        targets = np.zeros((len(rows), self.attributes.total), np.float32)
        for i, attribute in enumerate(self.attributes):
            labelled = known[:, i]
            targets[labelled, self.attributes.columns(attribute.name)] = attribute.weights_at(positions[labelled, i])
        return Batch(self._images[rows], targets, known)

    @cached_property
    def held_out(self) -> NDArray[np.bool_]:
        """A tenth of all different images [N]; the first 8 bytes of the SHA-256 of its pixels identify an image."""
        digests = [hashlib.sha256(image.tobytes()).digest()[:8] for image in self._images]
        return lowest_tenth(np.frombuffer(b"".join(digests), "<u8").astype(np.uint64))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Where labels.csv has a cell that is not empty [N, A]."""
        return np.asarray(np.isfinite(self._positions))

    def render(self, positions: NDArray[Any]) -> None:
        """None: nothing is known between the images."""


def _load(listed: Sequence[ListedImage]) -> NDArray[np.uint8]:
    """All images [N, H, W, C] of 0..255; they have as many channels as the one that needs most."""
    with _opened(listed[0]) as first:
        width, height = first.size
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
        raise DataError(
            f"{listed[0].where}: {listed[0].name!r} is {width} x {height} (width x height); "
            f"each must be {MIN_SIDE} to {MAX_SIDE}"
        )
    with tqdm(listed, desc="image headers") as progress:
        channels = max(_channels(entry, (width, height), listed[0]) for entry in progress)
    images = np.empty((len(listed), height, width, channels), np.uint8)
    with tqdm(listed, desc="images") as progress:
        for row, entry in enumerate(progress):
            with _opened(entry) as image:
                images[row] = np.asarray(image.convert(CHANNEL_MODES[channels])).reshape(height, width, channels)
    return images


def _channels(entry: ListedImage, size: tuple[int, int], first: ListedImage) -> int:
    """The number of channels that an image needs: 1, 3 or 4.

    Raises DataError if it does not have the ``size`` (width, height) of the first image, or is not a still image of
    8 bits per channel.
    """
    with _opened(entry) as image:
        if image.size != size:
            raise DataError(
                f"{entry.where}: {entry.name!r} is {image.width} x {image.height} (width x height), "
                f"but the first image, {first.name!r} ({first.where}), is {size[0]} x {size[1]}"
            )
        if image.mode[0] in "IF":
            raise DataError(f"{entry.where}: {entry.name!r} has {image.mode} pixels; make them 8 bits per channel")
        if getattr(image, "is_animated", False):
            raise DataError(f"{entry.where}: {entry.name!r} is an animation; save each frame as an image")
        if image.has_transparency_data:
            return 4
        return 1 if image.mode in ("1", "L") else 3


@contextmanager
def _opened(entry: ListedImage) -> Iterator[Image.Image]:
    """The image, turned upright; any error while it is used becomes a DataError with its row."""
    try:
        with Image.open(entry.file, formats=FORMATS) as image:
            ImageOps.exif_transpose(image, in_place=True)
            yield image
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        raise DataError(
            f"{entry.where}: {entry.name!r} is damaged, or not one of {', '.join(FORMATS)} ({error})"
        ) from error
