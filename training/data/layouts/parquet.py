"""Parquet with images, as Hugging Face's datasets have it. Needs ``spritevae[parquet]``.

The column of images is ``struct<bytes, path>`` or binary; where the bytes are null, the path is that of a file beside.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from PIL import Image

from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import PARTS, SPLIT, Listing, Place, attribute_name, parts_of, pictures_at
from training.data.pictures import open_upright
from training.data.reading import Reading
from training.data.table_file import json_text

NAME = "parquet"
NEEDS = "Parquet with images (.parquet)"


def found(place: Place, reading: Reading) -> list[str]:
    """The files."""
    return [name for name in place.chosen if name.lower().endswith(".parquet")]


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images of all files with their labels."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise DataError(f"{place.shown}: Parquet needs pyarrow: pip install 'spritevae[parquet]'") from error
    files = [_File(place, name, faults) for name in found(place, reading)]
    columns = Cells.joined_columns([(file.columns, file.where, len(file.pictures)) for file in files])
    parts = [file.part for file in files]
    if SPLIT not in columns and all(parts) and len(set(parts)) > 1:
        columns[SPLIT] = Cells.joined([Cells.same(file.part, file.where, len(file.pictures)) for file in files])
    kinds = {name: Override(name=name, kind="nominal") for file in files for name in file.named_classes}
    return Listing(
        source=place.shown,
        pictures=pictures_at(place.shown, (picture for file in files for picture in file.pictures)),
        split=parts_of(columns),
        columns=columns,
        kinds=kinds,
        notes=[note for file in files for note in file.notes],
    )


class _File:
    """One file: its pictures, and the cells of its other columns."""

    def __init__(self, place: Place, name: str, faults: Faults) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.where = str(place.files.path / name)
        self.part = _part(name)
        try:
            self._parquet = pq.ParquetFile(pa.BufferReader(place.files.read(name)))
            schema = self._parquet.schema_arrow
            self.image = _image_column(schema, self.where)
            labels = [each.name for each in schema if each.name != self.image]
            table = self._parquet.read(columns=labels)
        except DataError:
            raise
        except Exception as error:  # pyarrow has many exceptions of its own
            raise DataError(f"{self.where}: can't be read as Parquet ({error})") from error
        features = _features(schema)
        self.columns: dict[str, Cells] = {}
        self.named_classes: list[str] = []
        lists = [each.name for each in schema if each.name in labels and pa.types.is_nested(each.type)]
        for label in labels:
            if label in lists:
                continue
            classes = features.get(label, {}).get("names")
            texts = [_text(value, classes) for value in table.column(label).to_pylist()]
            self.columns[attribute_name(label)] = Cells.of(texts, self._row)
            if classes:
                self.named_classes.append(attribute_name(label))
        self.notes = [f"left out, as they hold lists: {', '.join(lists)}"] if lists else []
        groups = _Groups(place, name, self._parquet, self.image)
        self.pictures = [
            _Row(groups, group, row, self._row(first + row))
            for group, first, count in groups.spans()
            for row in range(count)
        ]

    def _row(self, row: int) -> str:
        return f"{self.where}, row {row}"


class _Groups:
    """The image column of a file, of which one row group is in memory."""

    def __init__(self, place: Place, name: str, parquet: Any, column: str) -> None:
        self.place, self.name, self.parquet, self.column = place, name, parquet, column
        self.identity = f"{name} {place.files.state(name)}"
        self._number, self._values = -1, list[Any]()

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """The number, the first row and the count of rows of each group."""
        first = 0
        for group in range(self.parquet.num_row_groups):
            count = self.parquet.metadata.row_group(group).num_rows
            yield group, first, count
            first += count

    def value(self, group: int, row: int) -> Any:
        """The cell of a row of a group."""
        if group != self._number:
            self._values = self.parquet.read_row_group(group, columns=[self.column]).column(0).to_pylist()
            self._number = group
        return self._values[row]


@dataclass(frozen=True, slots=True)
class _Row:
    """The picture in a row."""

    groups: _Groups
    group: int
    row: int
    where: str

    @property
    def name(self) -> str:
        """The column of images."""
        return self.groups.column

    @property
    def identity(self) -> str:
        """The file, its state and the row."""
        return f"{self.groups.identity} {self.group} {self.row}"

    def open(self) -> Image.Image:
        """The picture in the row's bytes, or else in the file that it names."""
        value = self.groups.value(self.group, self.row)
        data, path = (value, None) if not isinstance(value, dict) else (value.get("bytes"), value.get("path"))
        if data is None:
            if path is None:
                raise DataError(f"{self.where}: has neither the bytes of an image nor its path")
            files = self.groups.place.files
            data = files.read(files.find(str(PurePosixPath(self.groups.name).parent / path)))
        return open_upright(data)


def _image_column(schema: Any, where: str) -> str:
    """The column of images; raises DataError if there is none, or several."""
    import pyarrow as pa

    def fits(kind: Any) -> bool:
        if pa.types.is_struct(kind):
            return {"bytes", "path"} <= {kind.field(i).name for i in range(kind.num_fields)}
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    found = [each.name for each in schema if fits(each.type)]
    if len(found) != 1:
        columns = ", ".join(f"{each.name} ({each.type})" for each in schema)
        raise DataError(
            f"{where}: has {len(found)} columns of images, needs one (binary, or a struct of bytes and path); "
            f"has {columns}"
        )
    name: str = found[0]
    return name


def _features(schema: Any) -> dict[str, Any]:
    """What Hugging Face's datasets note of each column."""
    noted = (schema.metadata or {}).get(b"huggingface")
    if noted is None:
        return {}
    try:
        features = json.loads(noted)["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: each for name, each in features.items() if isinstance(each, dict)}


def _text(value: object, classes: Sequence[str] | None) -> str:
    """A value as a cell; the name of a class where classes have names, in which -1 means unlabelled."""
    if classes and isinstance(value, int):
        return classes[value] if 0 <= value < len(classes) else ""
    if isinstance(value, float) and value != value:
        return ""
    return json_text(value)


def _part(name: str) -> str:
    """The part of the data that a file's name tells (``train-00000-of-00001.parquet``), or nothing."""
    path = PurePosixPath(name)
    words = [path.name.partition("-")[0].partition(".")[0], path.parent.name]
    return next((word for word in words if word.lower() in PARTS), "")
