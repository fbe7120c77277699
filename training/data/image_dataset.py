"""People's own images: a listing of any layout, decoded, with its attributes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.data.cells import Cells
from training.data.column_cells import Column, described, read_column
from training.data.column_kinds import Override, check_columns, infer_attributes, parse_attribute, positions_of
from training.data.dataset import Batch, DataError, Rows
from training.data.decoding import decode
from training.data.faults import Faults
from training.data.frames import expand_frames
from training.data.layouts import read_listing
from training.data.listing import PARTS, Listing, parts_of
from training.data.reading import AS_FOUND, Reading
from training.data.splits import COLUMN, COMBINATIONS, IMAGES, split

# A column of text with more labels is no attribute.
MAX_LABELS = 1000
# From this many rows on, a column of text that is different in each row is a name.
MIN_NAMED_ROWS = 20


class ImageDataset:
    """The images and labels that lie at a path, in any of ``training.data.layouts``.

    ``overrides`` are texts that ``parse_attribute`` reads. ``attributes`` are those of an earlier run: labels and
    ranges then stay as they were, though rows may have been added, and other columns are left out.
    Prints how each column was read. Raises DataError that names the file and its row: the number of the line, as an
    editor shows it.
    """

    ceilings: Mapping[str, float] = MappingProxyType({})

    def __init__(
        self,
        path: Path,
        overrides: Sequence[str] = (),
        attributes: Attributes | None = None,
        reading: Reading = AS_FOUND,
    ) -> None:
        faults = Faults(reading.skip_bad)
        listing = read_listing(path, reading, faults)
        if reading.frames:
            listing = expand_frames(listing, faults)
        listing = _with_parts(listing, reading.hold_out)
        given = [parse_attribute(text) for text in overrides]
        if attributes is not None and given:
            raise DataError(f"{path}: its attributes are those of an earlier run; overrides can't change them")
        columns = _columns(listing, given, attributes, reading)
        if attributes is None:
            attributes = infer_attributes(listing.source, columns, [*given, *_told(listing, given, columns)])
        check_columns(listing.source, columns, attributes)
        # Before the images, so that people see at once what was read otherwise than they meant it.
        notes = [f"{len(listing.pictures):,} rows", *listing.notes]
        print(f"{listing.source}: {'; '.join(notes)}", file=sys.stderr)
        print(*described(attributes, columns), sep="\n", file=sys.stderr, flush=True)
        self.attributes = attributes
        positions = np.stack([positions_of(each, columns[each.name]) for each in attributes], axis=1)
        self._decoded = decode(listing, reading, faults)
        self._images = self._decoded.images  # [N, H, W, C]
        self._positions = positions[self._decoded.rows]  # [N, A]
        height, width, channels = self._images.shape[1:]
        self.image_shape: tuple[int, int, int] = (height, width, channels)
        parts = listing.split.take(self._decoded.rows) if listing.split else None
        way = reading.hold_out if reading.hold_out in (COMBINATIONS, IMAGES) or parts is None else COLUMN
        held_out = split(way, attributes, self._positions, self._image_keys(), parts)
        self.held_out_sets = held_out.sets
        self.held_out = held_out.held_out
        # What was chosen is kept, so that a run stays with it.
        self.reading = reading if reading.hold_out else replace(reading, hold_out=held_out.way)
        counts = "; ".join(f"{title}: {rows.sum():,}" for title, rows in held_out.sets.items())
        print(f"  {counts} of {len(self):,} images ({held_out.reason})", file=sys.stderr, flush=True)
        faults.show()

    @property
    def content(self) -> str:
        """The SHA-256 of images and labels."""
        digest = hashlib.sha256(self._images.data)
        digest.update(self._positions.tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._images)

    def batch(self, rows: Rows) -> Batch:
        """Images and labels of the rows [B], in the order of the listing."""
        positions = self._positions[rows]
        known = ~np.isnan(positions)
        targets = np.zeros((len(rows), self.attributes.total), np.float32)
        for i, attribute in enumerate(self.attributes):
            labelled = known[:, i]
            targets[labelled, self.attributes.columns(attribute.name)] = attribute.weights_at(positions[labelled, i])
        return Batch(np.asarray(self._images[rows]), targets, known)

    def _image_keys(self) -> NDArray[np.uint64]:
        """The first 8 bytes of the SHA-256 of each image's pixels [N]: the same for equal images."""
        digests = [hashlib.sha256(image.data).digest()[:8] for image in self._images]
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Where a cell is not empty [N, A]."""
        return np.asarray(np.isfinite(self._positions))

    def render(self, positions: NDArray[Any]) -> None:
        """None: nothing is known between the images."""


def _with_parts(listing: Listing, hold_out: str) -> Listing:
    """The listing with the parts of the data that the column ``hold_out`` names, if it is one."""
    if hold_out in ("", COMBINATIONS, IMAGES) or (hold_out == COLUMN and listing.split is not None):
        return listing
    columns = dict(listing.columns)
    parts = parts_of(columns, hold_out)
    if parts is None:
        raise DataError(
            f"--hold-out {hold_out}: takes {COMBINATIONS}, {IMAGES}, or a column of {listing.source} "
            f"whose cells are all of {', '.join(PARTS)}"
        )
    return replace(listing, columns=columns, split=parts)


def _columns(
    listing: Listing, given: Sequence[Override], attributes: Attributes | None, reading: Reading
) -> dict[str, Column]:
    """The columns that are attributes, as they are read."""
    unknown = [name for name in reading.ignore if name not in listing.columns]
    if unknown:
        raise DataError(
            f"--ignore {unknown[0]}: {listing.source} has no such column, only {', '.join(listing.columns)}"
        )
    kinds = {name: each.kind for name, each in listing.kinds.items()}
    kinds |= {each.name: each.kind for each in (*(attributes or ()), *given)}
    columns, left_out = {}, []
    for name, cells in listing.columns.items():
        if name in reading.ignore:
            continue
        column = read_column(cells, kinds.get(name), decimal_commas=listing.decimal_commas)
        if name not in kinds and not (column.numbers or column.notes) and _is_name(cells):
            left_out.append(
                f"  {name}: left out, as its texts are different in all rows; --attribute {name}=nominal keeps it"
            )
            continue
        columns[name] = column
    if not columns:
        raise DataError(f"{listing.source}: no column is left that could be an attribute")
    if left_out:
        print(*left_out, sep="\n", file=sys.stderr)
    return columns


def _is_name(cells: Cells) -> bool:
    """Whether a column of text names its rows, as titles and paths do."""
    filled = sum(bool(cell.text) for cell in cells.distinct)
    return filled == len(cells.codes) >= MIN_NAMED_ROWS or filled > MAX_LABELS


def _told(listing: Listing, given: Sequence[Override], columns: Mapping[str, Column]) -> list[Override]:
    """What the layout tells of attributes, and nobody else."""
    names = {each.name for each in given}
    return [each for name, each in listing.kinds.items() if name in columns and name not in names]
