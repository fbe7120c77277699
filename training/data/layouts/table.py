"""A table beside images: ``labels.csv``, or Hugging Face's ``metadata.csv`` and ``metadata.jsonl``.

The first column of ``labels.csv`` is ``file``; the others are attributes. Where it is ``metadata``, the column
``file_name`` may stand anywhere, and there may be a table in each of the folders ``train``, ``test`` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import PARTS, SPLIT, Listing, Place, attribute_name, parts_of
from training.data.pictures import Picture, PictureFile
from training.data.reading import Reading
from training.data.table_file import Table, read_table

NAME = "table"
NEEDS = "labels.csv, metadata.csv or metadata.jsonl"
LABELS = "labels.csv"
METADATA = ("metadata.csv", "metadata.jsonl")


def found(place: Place, reading: Reading) -> list[str]:
    """The tables: at the top, or one in each folder that names a part of the data."""
    names = set(place.chosen)
    for name in (LABELS, *METADATA):
        if name in names or (len(place.chosen) == 1 and place.chosen[0].endswith(name)):
            return [name if name in names else place.chosen[0]]
    below = [name for name in names if name.count("/") == 1 and PurePosixPath(name).name in METADATA]
    return sorted(name for name in below if name.partition("/")[0].lower() in PARTS)


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images of all tables with their cells."""
    tables = [_ListedTable(place, name, faults) for name in found(place, reading)]
    first = tables[0]
    columns = Cells.joined_columns([(table.columns, table.source, len(table.pictures)) for table in tables])
    if len(tables) > 1 and SPLIT not in columns:
        columns[SPLIT] = Cells.joined([Cells.same(table.part, table.source, len(table.pictures)) for table in tables])
    notes = [note for table in tables for note in table.notes]
    return Listing(
        source=first.source if len(tables) == 1 else place.shown,
        pictures=[picture for table in tables for picture in table.pictures],
        split=parts_of(columns),
        columns=columns,
        notes=list(dict.fromkeys(notes)),
        decimal_commas=first.table.decimal_commas,
    )


class _ListedTable:
    """One table and the images that it lists."""

    def __init__(self, place: Place, name: str, faults: Faults) -> None:
        self.file = place.files.path / name
        self.source = str(self.file)
        self.part = name.partition("/")[0]
        try:
            data = place.files.read(name)
        except OSError as error:
            raise DataError(f"{self.file}: can't be read ({error.strerror})") from error
        self.table = read_table(self.file, data, faults)
        path = PurePosixPath(name)
        names = _labels_columns(self.table) if path.name == LABELS else _metadata_columns(self.table)
        key = "file" if path.name == LABELS else "file_name"
        self.pictures: list[Picture] = []
        rows: list[int] = []
        seen: dict[str, str] = {}
        for row, given in enumerate(self.table.texts(key)):
            where = self.table.where(row)
            try:
                file = place.files.find((path.parent / given).as_posix() if path.parent.name else given)
            except DataError as error:
                faults.report(f"{where}: {error}")
                continue
            if file in seen:
                faults.report(f"{where}: {given!r} is listed already ({seen[file]})")
                continue
            seen[file] = where
            self.pictures.append(PictureFile(place.files, file, given, where))
            rows.append(row)
        cells = self.table.columns(list(names.values()), rows)
        self.columns = {attribute: cells[name] for attribute, name in names.items()}

    @property
    def notes(self) -> Sequence[str]:
        """How it was read."""
        lists = [f"left out, as they hold lists: {', '.join(self.table.lists)}"] if self.table.lists else []
        return [*self.table.notes, *lists]


def _labels_columns(table: Table) -> dict[str, str]:
    """The columns of attributes; raises DataError for names that can't be attributes."""
    where = f"{table.file}, row {table.header_line}"
    first, *names = table.header
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
    return {name: name for name in names}


def _metadata_columns(table: Table) -> dict[str, str]:
    """The columns by the names of their attributes; raises DataError unless one is ``file_name``."""
    if "file_name" not in table.header:
        raise DataError(
            f"{table.file}, row {table.header_line}: needs a column 'file_name', has {', '.join(table.header)}"
        )
    return {attribute_name(name): name for name in table.header if name != "file_name"}
