"""Where data lies, and what a layout finds there: pictures, and what is known of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from training.data.array_pictures import ArrayPictures
from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.files import Files
from training.data.pictures import Picture

# Folders and values that say which part of the data an image belongs to, in lower case.
PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
}
SPLIT = "split"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where data lies: a tree of files, and those of them that were meant."""

    files: Files
    chosen: Sequence[str]
    """Names of files: one that was named itself, or all of a folder or archive."""
    shown: str
    """As messages name it."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The pictures of a dataset and the cells of their attributes."""

    source: str
    """The file or folder that the cells come from, for messages."""
    pictures: Sequence[Picture] | ArrayPictures
    columns: Mapping[str, Cells]
    """By the names of attributes."""
    kinds: Mapping[str, Override] = field(default_factory=dict)
    """What the layout knows of an attribute that its cells don't tell."""
    notes: Sequence[str] = ()
    """What people should know of how it was read, in words."""
    decimal_commas: bool = False
    """Whether a comma may be a decimal comma."""
    split: Cells | None = None
    """The part of the data that each picture belongs to, one of the values of ``PARTS``."""


def attribute_name(text: str) -> str:
    """A name for an attribute, of letters, digits and underscores, from any text."""
    name = re.sub(r"\W+", "_", text.strip()).strip("_") or "column"
    return f"_{name}" if name[0].isdigit() else name


def parts_of(columns: dict[str, Cells], name: str = SPLIT) -> Cells | None:
    """The column of this name, taken out of the columns, if all its cells name parts of the data."""
    cells = columns.get(name)
    if cells is None or not all(cell.text.lower() in PARTS for cell in cells.distinct):
        return None
    del columns[name]
    return cells._replace(distinct=[cell._replace(text=PARTS[cell.text.lower()]) for cell in cells.distinct])


def pictures_at(where: str, pictures: Iterable[Picture]) -> list[Picture]:
    """The pictures as a list; raises DataError if there is none."""
    found = list(pictures)
    if not found:
        raise DataError(f"{where}: holds no picture")
    return found
