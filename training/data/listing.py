"""What a layout finds: pictures, and what is known of each. And how people say that their data is to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

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
Fit = Literal["", "pad", "crop", "scale"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How data is to be read, as people say it with the options of the command line."""

    layout: str = ""
    """One of ``training.data.layouts.LAYOUTS``; empty for the one that the files tell."""
    tile: tuple[int, int] | None = None
    """Width and height of a sheet's tiles in pixels."""
    margin: int = 0
    """Pixels around the tiles of a sheet."""
    spacing: int = 0
    """Pixels between the tiles of a sheet."""
    levels: tuple[str, ...] = ()
    """The attribute that each level of folders tells, the outermost first."""
    pattern: str = ""
    """Names of files with attributes in braces."""
    frames: bool = False
    """Whether each frame of an animation is an image."""
    fit: Fit = ""
    """How images of several sizes are brought to one."""
    ignore: tuple[str, ...] = ()
    """Columns that are no attributes."""
    skip_bad: bool = False
    """Whether rows and images that can't be read are left out."""

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise DataError(f"--fit takes {', '.join(filter(None, get_args(Fit)))}, got {self.fit!r}")
        if self.tile is not None and min(self.tile) < 1:
            raise DataError("--tile takes a width and a height in pixels, such as 32x32")
        if self.margin < 0 or self.spacing < 0:
            raise DataError("--margin and --spacing take pixels, 0 or more")

    @property
    def given(self) -> dict[str, Any]:
        """What differs from the defaults, for a run's parameters."""
        pairs = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value, usual in pairs if value != usual
        }

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Reading:
        """The reading that was ``given`` so; raises TypeError or DataError for other content."""
        fields_: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**fields_)


# Everything as the files tell.
AS_FOUND = Reading()


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


def parts_of(columns: dict[str, Cells]) -> Cells | None:
    """The column ``split``, taken out of the columns, if all its cells name parts of the data."""
    cells = columns.get(SPLIT)
    if cells is None or not all(cell.text.lower() in PARTS for cell in cells.distinct):
        return None
    del columns[SPLIT]
    return cells._replace(distinct=[cell._replace(text=PARTS[cell.text.lower()]) for cell in cells.distinct])


def pictures_at(where: str, pictures: Iterable[Picture]) -> list[Picture]:
    """The pictures as a list; raises DataError if there is none."""
    found = list(pictures)
    if not found:
        raise DataError(f"{where}: holds no picture")
    return found
