"""``labels.csv``: the table of a folder of images, and its cells.

The file is CSV with a header. Its first column, ``file``, names an image relative to the folder. Every other column is
an attribute; an empty cell is unlabelled.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.data.csv_text import SEPARATORS, decoded, separator
from training.data.dataset import DataError

LABELS_CSV = "labels.csv"


class Cell(NamedTuple):
    """A cell of an attribute's column."""

    text: str
    where: str
    """File and row, for error messages."""

    @property
    def row(self) -> str:
        """The row alone."""
        return self.where.rpartition(", ")[2]


class Cells(NamedTuple):
    """The cells of a column, each different text once."""

    distinct: list[Cell]
    """The first cell with each text, in the order of the rows."""
    codes: NDArray[np.intp]
    """[N]: which of them a row has."""

    @classmethod
    def of(cls, texts: Iterable[str], where: Callable[[int], str]) -> Cells:
        """The cells with these ``texts``, one for each row; ``where`` names the file and row of a row's number."""
        numbers: dict[str, int] = {}
        distinct: list[Cell] = []
        codes = []
        for row, text in enumerate(texts):
            number = numbers.setdefault(text, len(distinct))
            if number == len(distinct):
                distinct.append(Cell(text, where(row)))
            codes.append(number)
        return cls(distinct, np.array(codes, np.intp))

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many rows have each of the distinct cells [K]."""
        return np.bincount(self.codes, minlength=len(self.distinct))


class ListedImage(NamedTuple):
    """An image that the table lists."""

    file: Path
    name: str
    """As the table has it."""
    where: str
    """File and row, for error messages."""


class Table(NamedTuple):
    """A table, whose images are all there."""

    images: list[ListedImage]
    columns: dict[str, Cells]
    """Those of attributes, by name."""
    notes: list[str]
    """How the file was read, in words, where it is not UTF-8 with commas."""
    decimal_commas: bool
    """Whether a comma may be a decimal comma, as it does not separate cells."""


def read_table(file: Path) -> Table:
    """The table that labels.csv holds; raises DataError for a wrong one."""
    text, note = decoded(file, _content(file))
    between = separator(text)
    (header_line, header), *records = _records(file, text, between)
    names = _attribute_names(header, f"{file}, row {header_line}")
    if not records:
        raise DataError(f"{file}: has a header, but no rows")
    images: dict[Path, ListedImage] = {}
    texts: dict[str, list[str]] = {name: [] for name in names}
    for line, cells in records:
        where = f"{file}, row {line}"
        if len(cells) != len(header):
            kind = SEPARATORS[between]
            hint = f"; a {kind} within a cell needs quotes around the cell" if len(cells) > len(header) else ""
            raise DataError(
                f"{where}: has {len(cells)} cells with a {kind} between them, the header has {len(header)}{hint}"
            )
        image = ListedImage(_inside(file.parent, cells[0], where), cells[0], where)
        earlier = images.setdefault(image.file, image)
        if earlier is not image:
            raise DataError(f"{where}: {image.name!r} is listed already ({earlier.where})")
        for name, text in zip(names, cells[1:], strict=True):
            texts[name].append(text)
    notes = [note] if note else []
    notes += [f"cells with a {SEPARATORS[between]} between them"] if between != "," else []
    listed = list(images.values())
    columns = {name: Cells.of(column, lambda row: listed[row].where) for name, column in texts.items()}
    return Table(listed, columns, notes, decimal_commas=between != ",")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from error


def _records(file: Path, text: str, between: str) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of each record that isn't blank, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1  # a quoted cell may go over several lines
    except csv.Error as error:
        raise DataError(f"{file}, row {line}: is not CSV ({error})") from error
    if not records:
        raise DataError(f"{file}: is empty")
    return records


def _attribute_names(header: Sequence[str], where: str) -> list[str]:
    """The names of the columns after the first one; raises DataError for names that can't be attributes."""
    first, *names = header
    if first != "file":
        raise DataError(
            f"{where}: the first column must be 'file', got {first!r}; is the header missing? "
            "Columns are separated by commas, semicolons or tabs"
        )
    if not names:
        raise DataError(
            f"{where}: needs a column for at least one attribute; where nothing is known of the images, "
            "add one with the same word in every row, and train a system that learns without labels"
        )
    for name in names:
        if not name.isidentifier():
            raise DataError(
                f"{where}: column {name!r} can't name an attribute: letters, digits and underscores, no digit first"
            )
    for name, count in Counter(header).items():
        if count > 1:
            raise DataError(f"{where}: there are {count} columns {name!r}")
    return names


def _inside(folder: Path, name: str, where: str) -> Path:
    """The path of an image, with links resolved; raises DataError where that is outside the folder, or nothing."""
    try:
        file = (folder / name).resolve()
        inside, exists = file.is_relative_to(folder.resolve()), file.is_file()
    except (OSError, ValueError) as error:
        raise DataError(f"{where}: {name!r} can't name a file ({error})") from error
    if not inside:
        raise DataError(f"{where}: {name!r} lies outside the folder {folder}")
    if not exists:
        raise DataError(f"{where}: there is no image {name!r} in {folder}")
    return file


def is_number(text: str) -> bool:
    """Whether a cell is written as a number."""
    try:
        float(text)
    except ValueError:
        return False
    # Python reads 1_2 as the number 12; people mean a label.
    return "_" not in text


def number(name: str, cell: Cell) -> float:
    """The number in a cell of column ``name``; raises DataError where there is none, or it is not finite."""
    if not is_number(cell.text) or not math.isfinite(float(cell.text)):
        raise DataError(f"{cell.where}: {name} is {cell.text!r}, not a finite number (empty means unlabelled)")
    return float(cell.text)


def position_of(attribute: Attribute, cell: Cell) -> float:
    """The position of a cell on the attribute's axis; NaN if the cell is empty.

    The cell is a label or a value in units. Raises DataError for another label, or a value that is out of range.
    """
    name, text = attribute.name, cell.text
    if not text:
        return math.nan
    if attribute.kind == "nominal":
        if text not in attribute.labels:
            raise DataError(f"{cell.where}: {name} is {text!r}, not one of {', '.join(attribute.labels)}")
        return float(attribute.labels.index(text))
    value = number(name, cell)
    low, high = attribute.bounds
    with np.errstate(over="ignore"):
        position = float(attribute.from_unit(value))
    if not (math.isfinite(position) if attribute.kind == "circular" else low <= value <= high):
        raise DataError(f"{cell.where}: {name} is {text}, outside {low:g} to {high:g}")
    if attribute.kind == "continuous":
        return value
    # With rounding errors, 0.7 of 0.5 .. 1.0 is 1.9999999999999996; it means class 2.
    position = round(position, 9)
    return position % attribute.classes if attribute.kind == "circular" else position
