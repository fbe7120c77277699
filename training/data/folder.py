"""A folder of your own images, with ``labels.csv`` beside them.

The CSV (UTF-8, with a header) names an image in its first column, ``file``, relative to the folder; every other column
is an attribute. Its kind follows from its cells: any text makes it nominal (labels sorted), whole numbers only make it
ordinal (a class for every whole number from the least to the greatest), other numbers continuous. An empty cell is
unlabelled. ``--attribute`` overrides a column, in the form of ``GRAMMAR``, for instance::

    hue=circular:36:period=36            cells 0 .. 35; 35.5 lies half-way from class 35 to class 0
    hue=circular:36:range=0..350:unit=degrees     the same in degrees, the range being that of first and last class
    size=ordinal:6:range=0.5..1.0        cells 0.5, 0.6 .. 1.0; 0.55 is half class 0, half class 1
    digit=nominal:labels=0|1|2           the cell's text is the label

Images are still PNG, JPEG, GIF, BMP or WebP of one size. If any has transparency, all become RGBA; else if any has
colour (a palette counts as colour), all become RGB; else all are grey.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tqdm import tqdm

from attributes import CHANNEL_MODES, KINDS, MAX_SIDE, MIN_SIDE, Attribute, Attributes, Kind
from training.data.dataset import Batch, DataError, Rows, lowest_tenth

LABELS = "labels.csv"
MAX_INFERRED_CLASSES = 256
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")

GRAMMAR = "NAME=KIND[:SIZE][:labels=A|B|C][:period=P][:range=LO..HI][:unit=TEXT][:default=V]"
OPTIONS: dict[Kind, tuple[str, ...]] = {
    "nominal": ("labels", "default"),
    "ordinal": ("range", "unit", "default"),
    "circular": ("period", "range", "unit", "default"),
    "continuous": ("range", "unit", "default"),
}


@dataclass(frozen=True, kw_only=True)
class Override:
    """What the user says about a column; None or empty is left to its cells. ``default`` is written as a cell is."""

    name: str
    kind: Kind
    size: int | None = None
    labels: tuple[str, ...] = ()
    period: int | None = None
    range: tuple[float, float] | None = None
    unit: str = ""
    default: str = ""


class _Cell(NamedTuple):
    text: str
    where: str


class _Picture(NamedTuple):
    file: Path
    name: str
    where: str


class FolderDataset:
    """The images and labels of a folder, held in memory.

    ``overrides`` are texts as ``parse_attribute`` reads them. ``attributes`` are those that an earlier source inferred:
    given again, labels and ranges stay as they were when rows are added, and columns they don't name are left out.
    Raises DataError, which names the file and its row, the line that an editor shows.
    """

    ceilings: Mapping[str, float] = MappingProxyType({})

    def __init__(self, path: Path, overrides: Sequence[str] = (), attributes: Attributes | None = None) -> None:
        table = path / LABELS
        pictures, columns = _read_table(table)
        if attributes is None:
            attributes = _infer(table, columns, [parse_attribute(text) for text in overrides])
        elif overrides:
            raise DataError(f"{path}: its attributes are settled already; overrides can't change them")
        _check_columns(table, columns, attributes)
        self.attributes = attributes
        self._positions = np.array([[_position(a, cell) for cell in columns[a.name]] for a in attributes]).T
        self._images = _load(pictures)
        height, width, channels = self._images.shape[1:]
        self.image_shape: tuple[int, int, int] = (height, width, channels)

    @property
    def content(self) -> str:
        """sha256 of images and labels."""
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
        """The tenth of all different images, told by the first 8 bytes of the SHA-256 of their pixels."""
        digests = [hashlib.sha256(image.tobytes()).digest()[:8] for image in self._images]
        return lowest_tenth(np.frombuffer(b"".join(digests), "<u8").astype(np.uint64))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Where labels.csv has a cell."""
        return np.asarray(np.isfinite(self._positions))

    def render(self, positions: NDArray[Any]) -> None:
        """Nothing is known between the images."""


def parse_attribute(text: str) -> Override:
    """An override in the form of ``GRAMMAR``; raises DataError that says what is wrong with it."""

    def fail(what: str) -> DataError:
        return DataError(f"attribute {text!r}: {what}; the form is {GRAMMAR}")

    name, _, rest = text.partition("=")
    first, *parts = rest.split(":")
    kind = next((kind for kind in KINDS if kind == first), None)
    if not name or kind is None:
        raise fail(f"needs a name and one of the kinds {', '.join(KINDS)}")
    size = parts.pop(0) if parts and "=" not in parts[0] else None
    options: dict[str, str] = {}
    for part in parts:
        option, _, value = part.partition("=")
        if option not in OPTIONS[kind]:
            raise fail(f"a {kind} attribute takes {', '.join(OPTIONS[kind])}, not {option!r}")
        if option in options or not value:
            raise fail(f"{option} needs one value")
        options[option] = value
    low, _, high = options.get("range", "").partition("..")
    try:
        override = Override(
            name=name,
            kind=kind,
            size=None if size is None else int(size),
            labels=tuple(label.strip() for label in options["labels"].split("|")) if "labels" in options else (),
            period=int(options["period"]) if "period" in options else None,
            range=(float(low), float(high)) if "range" in options else None,
            unit=options.get("unit", ""),
            default=options.get("default", ""),
        )
    except ValueError:
        raise fail("size and period must be whole numbers, range two numbers LO..HI") from None
    if kind == "circular" and override.size is None:
        raise fail("a circular attribute needs its SIZE")
    if "" in override.labels:
        raise fail("a label can't be empty, as an empty cell is unlabelled")
    return override


def _read_table(file: Path) -> tuple[list[_Picture], dict[str, list[_Cell]]]:
    """The pictures and, by name, the attribute columns that labels.csv lists."""
    (header_line, header), *records = _records(file)
    names = _attribute_names(header, f"{file}, row {header_line}")
    if not records:
        raise DataError(f"{file}: has a header, but no rows")
    pictures: dict[Path, _Picture] = {}
    columns: dict[str, list[_Cell]] = {name: [] for name in names}
    for line, cells in records:
        where = f"{file}, row {line}"
        if len(cells) != len(header):
            raise DataError(f"{where}: has {len(cells)} cells, the header has {len(header)}")
        picture = _Picture(_inside(file.parent, cells[0], where), cells[0], where)
        earlier = pictures.setdefault(picture.file, picture)
        if earlier is not picture:
            raise DataError(f"{where}: {picture.name!r} is listed already ({earlier.where})")
        for name, text in zip(names, cells[1:], strict=True):
            columns[name].append(_Cell(text, where))
    return list(pictures.values()), columns


def _records(file: Path) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of each record that isn't blank, the header first."""
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{file}, row {line}: is not UTF-8; save the file as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1  # a quoted cell may run over several lines
    except csv.Error as error:
        raise DataError(f"{file}, row {line}: is not CSV ({error})") from error
    if not records:
        raise DataError(f"{file}: is empty")
    return records


def _attribute_names(header: Sequence[str], where: str) -> list[str]:
    first, *names = header
    if first != "file":
        raise DataError(f"{where}: the first column must be 'file', got {first!r}; is the header missing?")
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
    """Where the image lies, links followed."""
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


def _check_columns(table: Path, columns: Mapping[str, Sequence[_Cell]], attributes: Attributes) -> None:
    for attribute in attributes:
        if attribute.name not in columns:
            raise DataError(f"{table}: has no column {attribute.name!r}, only {', '.join(columns)}")
        if not any(cell.text for cell in columns[attribute.name]):
            raise _empty(table, attribute.name)


def _empty(table: Path, name: str) -> DataError:
    return DataError(f"{table}: column {name!r} is empty; label at least one image, or remove the column")


def _infer(table: Path, columns: Mapping[str, Sequence[_Cell]], overrides: Sequence[Override]) -> Attributes:
    chosen: dict[str, Override] = {}
    for override in overrides:
        if override.name not in columns:
            raise DataError(f"{table}: has no column {override.name!r} to override, only {', '.join(columns)}")
        if override.name in chosen:
            raise DataError(f"attribute {override.name!r} is overridden twice")
        chosen[override.name] = override
    attributes = []
    for name, column in columns.items():
        cells = [cell for cell in column if cell.text]
        if not cells:
            raise _empty(table, name)
        override = chosen.get(name) or Override(name=name, kind=_kind(name, cells))
        try:
            attributes.append(_attribute(override, cells, str(table)))
        except DataError:
            raise
        except ValueError as error:
            raise DataError(f"{table}: {error}") from error
    return Attributes(attributes)


def _kind(name: str, cells: Sequence[_Cell]) -> Kind:
    if not all(_is_number(cell.text) for cell in cells):
        return "nominal"
    return "ordinal" if all(_number(name, cell).is_integer() for cell in cells) else "continuous"


def _attribute(override: Override, cells: Sequence[_Cell], where: str) -> Attribute:
    """The attribute of a column with these labelled cells; what the override leaves open is taken from them."""
    name, kind, size, extent, labels = override.name, override.kind, override.size, override.range, override.labels
    if kind == "nominal":
        labels = labels or tuple(sorted({cell.text for cell in cells}))
        size = len(labels) if size is None else size
    elif kind == "continuous":
        extent = extent or _extent(name, cells, where)
    elif size is None:
        extent = extent or _extent(name, cells, where)
        size = _whole_numbers(name, extent, where)
    attribute = Attribute(
        name=name,
        kind=kind,
        size=1 if size is None else size,
        labels=labels,
        period=size if kind == "circular" and override.period is None else override.period,
        unit=override.unit,
        range=extent,
        default=extent[0] if kind == "continuous" and extent else 0,
    )
    if override.default:
        default = _position(attribute, _Cell(override.default, f"the default of attribute {name!r}"))
    else:
        default = _typical(attribute, np.array([_position(attribute, cell) for cell in cells]))
    return replace(attribute, default=labels[int(default)] if kind == "nominal" else default)


def _extent(name: str, cells: Sequence[_Cell], where: str) -> tuple[float, float]:
    values = [_number(name, cell) for cell in cells]
    if min(values) == max(values):
        raise DataError(
            f"{where}: column {name!r} has one value only, {values[0]:g}; "
            f"remove it, or give its range with --attribute {name}=continuous:range=LO..HI"
        )
    return min(values), max(values)


def _whole_numbers(name: str, extent: tuple[float, float], where: str) -> int:
    """How many whole numbers the extent holds, a class each."""
    low, high = extent
    if not (low.is_integer() and high.is_integer()):
        raise DataError(
            f"{where}: column {name!r} goes from {low:g} to {high:g}, not between whole numbers; "
            f"give its classes with --attribute {name}=ordinal:SIZE:range={low:g}..{high:g}"
        )
    count = high - low + 1
    if count > MAX_INFERRED_CLASSES:
        raise DataError(
            f"{where}: column {name!r} would have {count:g} classes, {low:g} to {high:g}, more than "
            f"{MAX_INFERRED_CLASSES}; say what it is with --attribute {name}=continuous or "
            f"--attribute {name}=ordinal:SIZE:range={low:g}..{high:g}"
        )
    return int(count)


def _typical(attribute: Attribute, positions: NDArray[np.float64]) -> float:
    """The most frequent class, the first of several; the median of a continuous attribute."""
    if attribute.kind == "continuous":
        return float(np.median(positions))
    classes = np.round(positions).astype(np.intp) % attribute.classes
    return float(np.bincount(classes).argmax())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_2 as 12, people as a label


def _number(name: str, cell: _Cell) -> float:
    if not _is_number(cell.text) or not math.isfinite(float(cell.text)):
        raise DataError(f"{cell.where}: {name} is {cell.text!r}, not a finite number (empty means unlabelled)")
    return float(cell.text)


def _position(attribute: Attribute, cell: _Cell) -> float:
    """Where a cell lies on the attribute's axis: the cell is a label or a value in units; NaN if it is empty."""
    name, text = attribute.name, cell.text
    if not text:
        return math.nan
    if attribute.kind == "nominal":
        if text not in attribute.labels:
            raise DataError(f"{cell.where}: {name} is {text!r}, not one of {', '.join(attribute.labels)}")
        return float(attribute.labels.index(text))
    value = _number(name, cell)
    low, high = attribute.bounds
    with np.errstate(over="ignore"):
        position = float(attribute.from_unit(value))
    if not (math.isfinite(position) if attribute.kind == "circular" else low <= value <= high):
        raise DataError(f"{cell.where}: {name} is {text}, outside {low:g} to {high:g}")
    if attribute.kind == "continuous":
        return value
    position = round(position, 9)  # 0.7 of 0.5 .. 1.0 is class 2, not 1.9999999999999996
    return position % attribute.classes if attribute.kind == "circular" else position


def _load(pictures: Sequence[_Picture]) -> NDArray[np.uint8]:
    """All images [N, H, W, C] of 0..255, in the channels that the richest of them needs."""
    with _opened(pictures[0]) as first:
        width, height = first.size
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
        raise DataError(
            f"{pictures[0].where}: {pictures[0].name!r} is {width} x {height} (width x height); "
            f"each must be {MIN_SIDE} to {MAX_SIDE}"
        )
    with tqdm(pictures, desc="image headers") as progress:
        channels = max(_channels(picture, (width, height), pictures[0]) for picture in progress)
    images = np.empty((len(pictures), height, width, channels), np.uint8)
    with tqdm(pictures, desc="images") as progress:
        for row, picture in enumerate(progress):
            with _opened(picture) as image:
                images[row] = np.asarray(image.convert(CHANNEL_MODES[channels])).reshape(height, width, channels)
    return images


def _channels(picture: _Picture, size: tuple[int, int], first: _Picture) -> int:
    """Channels that an image needs: 1, 3 or 4. Raises DataError where it can't go with the first one, of ``size``."""
    with _opened(picture) as image:
        if image.size != size:
            raise DataError(
                f"{picture.where}: {picture.name!r} is {image.width} x {image.height} (width x height), "
                f"but the first image, {first.name!r} ({first.where}), is {size[0]} x {size[1]}"
            )
        if image.mode[0] in "IF":
            raise DataError(f"{picture.where}: {picture.name!r} has {image.mode} pixels; make them 8 bits per channel")
        if getattr(image, "is_animated", False):
            raise DataError(f"{picture.where}: {picture.name!r} is an animation; save each frame as an image")
        if image.has_transparency_data:
            return 4
        return 1 if image.mode in ("1", "L") else 3


@contextmanager
def _opened(picture: _Picture) -> Iterator[Image.Image]:
    try:
        with Image.open(picture.file, formats=FORMATS) as image:
            ImageOps.exif_transpose(image, in_place=True)
            yield image
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        raise DataError(
            f"{picture.where}: {picture.name!r} is damaged, or not one of {', '.join(FORMATS)} ({error})"
        ) from error
