"""Sheets whose tiles lie in a grid, with a table beside each: by the number of the tile, or by row and column.

The table of ``sheet.png`` is ``sheet.csv``. Tiles are counted from 0, row by row.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import Listing, Place, attribute_name, parts_of, pictures_at
from training.data.pictures import Picture, Region, Sheet, is_picture
from training.data.reading import Reading
from training.data.table_file import SUFFIXES, Table, read_table

NAME = "grid"
NEEDS = "sheets of equal tiles, each with a table of the same name, and --tile WxH"
# Columns that say where a tile lies.
TILE, ROW, COLUMN = "tile", "row", ("col", "column")
PLACES = frozenset({TILE, ROW, *COLUMN, "x", "y", "w", "h", "width", "height", "sheet"})


def found(place: Place, reading: Reading) -> list[str]:
    """The sheets, if the size of tiles is given."""
    return [name for name in place.chosen if is_picture(name)] if reading.tile or reading.layout == NAME else []


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The tiles that the tables list."""
    if reading.tile is None:
        raise DataError(f"{place.shown}: a sheet needs the size of its tiles: --tile WxH, such as --tile 32x32")
    sheets = [_TiledSheet(place, name, reading, faults) for name in found(place, reading)]
    columns = Cells.joined_columns([(sheet.columns, str(sheet.table.file), len(sheet.tiles)) for sheet in sheets])
    return Listing(
        source=str(sheets[0].table.file) if len(sheets) == 1 else place.shown,
        pictures=pictures_at(place.shown, (tile for sheet in sheets for tile in sheet.tiles)),
        split=parts_of(columns),
        columns=columns,
        notes=[note for sheet in sheets for note in sheet.notes],
        decimal_commas=sheets[0].table.decimal_commas,
    )


class _TiledSheet:
    """One sheet and the tiles that its table lists."""

    def __init__(self, place: Place, name: str, reading: Reading, faults: Faults) -> None:
        table = _table(place, name)
        self.table = read_table(place.files.path / table, place.files.read(table), faults)
        sheet = Sheet(place.files, name)
        grid = Grid(sheet, reading)
        self.tiles: list[Picture] = []
        rows: list[int] = []
        for row, position in enumerate(_positions(self.table, grid, faults)):
            if position is None:
                continue
            down, across = position
            where = self.table.where(row)
            if not (0 <= down < grid.rows and 0 <= across < grid.columns):
                faults.report(
                    f"{where}: the tile in row {down}, column {across} lies outside {sheet.file!r}, "
                    f"which has rows 0 to {grid.rows - 1} and columns 0 to {grid.columns - 1}"
                )
                continue
            self.tiles.append(Region(sheet, grid.box(down, across), f"tile {down * grid.columns + across}", where))
            rows.append(row)
        cells = self.table.columns([name for name in self.table.header if name not in PLACES], rows)
        self.columns = {attribute_name(name): each for name, each in cells.items()}
        left = grid.rows * grid.columns - len(self.tiles)
        self.notes = [
            *self.table.notes,
            f"{name}: {grid.columns} x {grid.rows} tiles of {grid.width} x {grid.height}"
            + (f", of which {left:,} are not in the table" if left else ""),
        ]


def _table(place: Place, sheet: str) -> str:
    """The table of a sheet; raises DataError if it has none."""
    names = [str(PurePosixPath(sheet).with_suffix(end)) for end in SUFFIXES]
    for name in names:
        if place.files.has(name):
            return name
    raise DataError(f"{place.files.path / sheet}: there is no table of its tiles beside it: {' or '.join(names)}")


class Grid:
    """The tiles of a sheet; raises DataError if it has none of that size."""

    def __init__(self, sheet: Sheet, reading: Reading) -> None:
        assert reading.tile is not None
        self.width, self.height = reading.tile
        self.margin, self.spacing = reading.margin, reading.spacing
        image = sheet.image
        self.columns = self._count(image.width, self.width)
        self.rows = self._count(image.height, self.height)
        if self.columns < 1 or self.rows < 1:
            raise DataError(
                f"{sheet.where}: is {image.width} x {image.height} (width x height), which has no room for a tile of "
                f"{self.width} x {self.height} with a margin of {self.margin}"
            )

    def _count(self, extent: int, tile: int) -> int:
        return (extent - 2 * self.margin + self.spacing) // (tile + self.spacing)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge of a tile in pixels."""
        left = self.margin + column * (self.width + self.spacing)
        top = self.margin + row * (self.height + self.spacing)
        return left, top, left + self.width, top + self.height


def _positions(table: Table, grid: Grid, faults: Faults) -> list[tuple[int, int] | None]:
    """The row and column of the tile in each row of the table; None where a fault was reported."""
    across = next((name for name in COLUMN if name in table.header), None)
    by_row = ROW in table.header and across is not None
    if not by_row and TILE not in table.header:
        raise DataError(
            f"{table.file}: needs a column 'tile' with numbers from 0, or columns 'row' and 'col'; "
            f"has {', '.join(table.header)}"
        )
    names = (ROW, across or "") if by_row else (TILE,)
    positions: list[tuple[int, int] | None] = []
    for row, texts in enumerate(zip(*(table.texts(name) for name in names), strict=True)):
        wrong = [(name, text) for name, text in zip(names, texts, strict=True) if not text.isdecimal()]
        if wrong:
            faults.report(f"{table.where(row)}: {wrong[0][0]} is {wrong[0][1]!r}, not a whole number from 0")
            positions.append(None)
        elif by_row:
            positions.append((int(texts[0]), int(texts[1])))
        else:
            positions.append(divmod(int(texts[0]), grid.columns))
    return positions
