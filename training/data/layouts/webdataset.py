"""Archives of samples (WebDataset): ``0001.png`` with ``0001.json``, ``0001.cls`` or ``0001.txt`` beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.class_folders import DEFAULT
from training.data.listing import Listing, Place, attribute_name, parts_of, pictures_at
from training.data.pictures import PictureFile, is_picture
from training.data.reading import Reading
from training.data.table_file import json_text

NAME = "webdataset"
NEEDS = "samples as WebDataset has them (1.png, 1.json)"
LABELS = {"json", "cls", "txt"}


def found(place: Place, reading: Reading) -> list[dict[str, str]]:
    """The samples with a picture, if all of them have labels."""
    pictured = [parts for parts in _samples(place).values() if any(map(is_picture, parts.values()))]
    return pictured if pictured and all(LABELS & parts.keys() for parts in pictured) else []


def _samples(place: Place) -> dict[str, dict[str, str]]:
    """The names of the files of each sample, by their endings. A sample's key ends at the first dot of the name."""
    samples: dict[str, dict[str, str]] = {}
    for name in place.chosen:
        folder, _, file = name.rpartition("/")
        key, _, end = file.partition(".")
        samples.setdefault(f"{folder}/{key}", {})[end.lower()] = name
    return samples


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The samples with their labels."""
    rows = list(_rows(place, faults))
    pictures = pictures_at(place.shown, (picture for picture, _ in rows))
    columns = Cells.columns([values for _, values in rows], lambda row: f"{place.shown}, {pictures[row].name!r}")
    kinds = {DEFAULT: Override(name=DEFAULT, kind="nominal")} if DEFAULT in columns else {}
    return Listing(source=place.shown, pictures=pictures, split=parts_of(columns), columns=columns, kinds=kinds)


def _rows(place: Place, faults: Faults) -> Iterator[tuple[PictureFile, Mapping[str, str]]]:
    for parts in _samples(place).values():
        images = [name for name in parts.values() if is_picture(name)]
        if not images:
            continue
        try:
            if len(images) > 1:
                raise DataError(f"{place.shown}: a sample has several pictures: {', '.join(map(repr, sorted(images)))}")
            values = _values(place, parts)
        except DataError as error:
            faults.report(str(error))
            continue
        yield PictureFile(place.files, images[0], images[0], place.shown), values


def _values(place: Place, parts: Mapping[str, str]) -> dict[str, str]:
    """What the label files of a sample say."""
    values: dict[str, str] = {}
    if name := parts.get("json"):
        try:
            content = json.loads(place.files.read(name))
        except ValueError as error:
            raise DataError(f"{place.shown}, {name!r}: is no JSON ({error})") from error
        if not isinstance(content, dict):
            raise DataError(f"{place.shown}, {name!r}: holds {type(content).__name__}, not an object")
        plain = ((key, value) for key, value in content.items() if not isinstance(value, list | dict))
        values |= {attribute_name(key): json_text(value) for key, value in plain}
    for end, column in (("cls", DEFAULT), ("txt", "text")):
        if name := parts.get(end):
            values[column] = place.files.read(name).decode("utf-8", "replace").strip()
    return values
