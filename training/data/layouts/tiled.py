"""Tile sets of Tiled (TSX): a sheet or an image for each tile, with classes and properties of tiles as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.etree import ElementTree

from training.data.cells import Cells
from training.data.column_kinds import Override
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.atlas_frames import sheet_of, whole
from training.data.layouts.atlas_xml import xml_root
from training.data.layouts.grid import Grid
from training.data.listing import Listing, Place, attribute_name, parts_of, pictures_at
from training.data.pictures import Picture, PictureFile, Region
from training.data.reading import Reading

NAME = "tiled"
NEEDS = "tile sets of Tiled (TSX)"
ROOT = "tileset"


def found(place: Place, reading: Reading) -> list[str]:
    """The tile sets."""
    return [name for name in place.chosen if name.lower().endswith(".tsx")]


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The tiles that have a class or properties; those of a collection of images all."""
    rows = [row for name in found(place, reading) for row in _tiles(place, name, faults)]
    pictures = pictures_at(place.shown, (picture for picture, _ in rows))
    columns = Cells.columns([values for _, values in rows], lambda row: pictures[row].where)
    if not columns:
        raise DataError(f"{place.shown}: no tile has a class or a property, so nothing tells their attributes")
    kinds = {name: Override(name=name, kind="nominal") for name in ("class",) if name in columns}
    return Listing(source=place.shown, pictures=pictures, split=parts_of(columns), columns=columns, kinds=kinds)


def _tiles(place: Place, name: str, faults: Faults) -> Iterator[tuple[Picture, dict[str, str]]]:
    root = xml_root(place, name, ROOT)
    shown = place.files.path / name
    grid, sheet = None, None
    image = root.find("image")
    if image is not None:
        sheet = sheet_of(place, name, image.get("source"))
        sizes = {
            each: whole(root.get(each, 0), each, str(shown))
            for each in ("tilewidth", "tileheight", "margin", "spacing")
        }
        tile = sizes["tilewidth"], sizes["tileheight"]
        grid = Grid(sheet, Reading(tile=tile, margin=sizes["margin"], spacing=sizes["spacing"]))
    for tile_element in root.iter("tile"):
        number = tile_element.get("id", "")
        where = f"{shown}, tile {number}"
        values = _values(tile_element)
        own = tile_element.find("image")
        try:
            if own is not None:
                file = place.files.find(str(PurePosixPath(name).parent / own.get("source", "")))
                yield PictureFile(place.files, file, own.get("source", ""), where), values
            elif grid is None or sheet is None:
                raise DataError(f"{where}: has no image, and the tile set has none")
            elif not number.isdecimal() or int(number) >= grid.rows * grid.columns:
                raise DataError(f"{where}: lies outside the sheet, which has tiles 0 to {grid.rows * grid.columns - 1}")
            elif values:
                yield Region(sheet, grid.box(*divmod(int(number), grid.columns)), f"tile {number}", where), values
        except DataError as error:
            faults.report(str(error))


def _values(tile: ElementTree.Element) -> dict[str, str]:
    """What is known of a tile. Its class was called type before Tiled 1.9."""
    kind = tile.get("class", tile.get("type", ""))
    values = {"class": kind} if kind else {}
    for each in tile.iterfind("properties/property"):
        values[attribute_name(each.get("name", ""))] = each.get("value", (each.text or "")).strip()
    return values
