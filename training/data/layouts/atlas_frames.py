"""Frames of atlases: what all descriptions of them say, and a table or a pattern that tells their attributes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.file_names import named_by_pattern
from training.data.listing import Listing, Place, attribute_name, parts_of, pictures_at
from training.data.pictures import SUFFIXES as PICTURE_SUFFIXES
from training.data.pictures import Picture, Region, Sheet
from training.data.reading import Reading
from training.data.table_file import SUFFIXES, read_table

# Columns of a table that name frames.
KEYS = ("file", "file_name", "name", "frame")


@dataclass(frozen=True)
class AtlasFrame:
    """A frame of an atlas and what its description tells of it, by the names of attributes."""

    region: Region
    values: Mapping[str, str] = field(default_factory=dict)


def listing_of(
    place: Place, descriptions: Sequence[str], frames: Sequence[AtlasFrame], reading: Reading, faults: Faults
) -> Listing:
    """The frames with the attributes that the pattern, the table or else the descriptions tell.

    Frames of the same name in one description, and those outside their sheet, are faults. Raises DataError if nothing
    tells an attribute.
    """
    kept = _checked(frames, faults)
    pictures = pictures_at(place.shown, (frame.region for frame in kept))
    if reading.pattern:
        return named_by_pattern(pictures, reading.pattern, place.shown, faults)
    if table := _table(place, descriptions):
        return _tabled(place, table, kept, faults)
    columns = Cells.columns([frame.values for frame in kept], lambda row: pictures[row].where)
    constant = [name for name, cells in columns.items() if len(cells.distinct) == 1]
    if not columns.keys() - constant:
        shown = ", ".join(repr(picture.name) for picture in pictures[:3])
        raise DataError(
            f"{place.shown}: {len(pictures):,} frames ({shown} ...), but nothing tells their attributes; say what "
            f"their names tell with --pattern, or add a table {_tables_of(descriptions)[0]!r} with a column 'file'"
        )
    notes = [f"left out, as it is the same everywhere: {name}" for name in constant]
    columns = {name: cells for name, cells in columns.items() if name not in constant}
    kinds = {"tag": Override(name="tag", kind="nominal"), "animation": Override(name="animation", kind="nominal")}
    return Listing(
        source=place.shown,
        pictures=pictures,
        columns=columns,
        kinds={name: kind for name, kind in kinds.items() if name in columns},
        notes=notes,
    )


def _checked(frames: Sequence[AtlasFrame], faults: Faults) -> list[AtlasFrame]:
    seen: set[tuple[str, str]] = set()
    kept = []
    for frame in frames:
        region = frame.region
        key = (region.where, region.name)
        try:
            if key in seen:
                raise DataError(f"{region.where}: has two frames {region.name!r}")
            region.check()
        except DataError as error:
            faults.report(str(error))
            continue
        seen.add(key)
        kept.append(frame)
    return kept


def _tables_of(descriptions: Sequence[str]) -> list[str]:
    return [str(PurePosixPath(name).with_suffix(end)) for name in descriptions for end in SUFFIXES]


def _table(place: Place, descriptions: Sequence[str]) -> str | None:
    return next((name for name in _tables_of(descriptions) if place.files.has(name)), None)


def _tabled(place: Place, name: str, frames: Sequence[AtlasFrame], faults: Faults) -> Listing:
    """The frames that a table lists by their names."""
    table = read_table(place.files.path / name, place.files.read(name), faults)
    key = next((each for each in KEYS if each in table.header), None)
    if key is None:
        raise DataError(f"{table.file}: needs a column {' or '.join(map(repr, KEYS))}, has {', '.join(table.header)}")
    regions = {frame.region.name: frame.region for frame in frames}
    pictures: list[Picture] = []
    rows = []
    for row, text in enumerate(table.texts(key)):
        if region := regions.get(text):
            pictures.append(region)
            rows.append(row)
        else:
            faults.report(f"{table.where(row)}: there is no frame {text!r}, only {_some(list(regions))}")
    columns = {attribute_name(each): cells for each, cells in table.columns(_others(table.header, key), rows).items()}
    return Listing(
        source=str(table.file),
        pictures=pictures_at(str(table.file), pictures),
        split=parts_of(columns),
        columns=columns,
        notes=[
            *table.notes,
            *([f"{len(regions) - len(rows):,} frames are not in the table"] if len(regions) > len(rows) else []),
        ],
        decimal_commas=table.decimal_commas,
    )


def _others(header: Sequence[str], key: str) -> list[str]:
    return [name for name in header if name != key]


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def sheet_of(place: Place, description: str, image: object) -> Sheet:
    """The sheet that a description names, or else the picture of its name; raises DataError if neither is there."""
    path = PurePosixPath(description)
    given = str(image or "").replace("\\", "/")
    named = [str(path.parent / given), str(path.parent / PurePosixPath(given).name)] if given else []
    same = [str(path.with_suffix(end)) for end in PICTURE_SUFFIXES]
    sheet = next((each for each in (*named, *same) if place.files.has(each)), None)
    if sheet is None:
        missing = f"its sheet {given!r} is not there" if given else "it names no sheet"
        raise DataError(f"{place.files.path / description}: {missing}, and there is no picture {path.stem!r} beside it")
    return Sheet(place.files, sheet)


def whole(value: object, what: str, where: str) -> int:
    """A number of pixels as a description has it, in text or not; raises DataError."""
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise DataError(f"{where}: {what} is {value!r}, not a whole number of pixels")
    return int(number)
