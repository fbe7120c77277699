"""Atlases that XML describes: of Starling (and Sparrow), as Kenney's sprites have them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.atlas_frames import AtlasFrame, listing_of, sheet_of, whole
from training.data.listing import Listing, Place
from training.data.pictures import Region, Sheet
from training.data.reading import Reading

NAME = "starling"
NEEDS = "atlases of Starling (XML)"
ROOT = "TextureAtlas"


def found(place: Place, reading: Reading) -> list[str]:
    """The descriptions."""
    names = [name for name in place.chosen if name.lower().endswith(".xml")]
    return [name for name in names if len(place.chosen) == 1 or f"<{ROOT}".encode() in place.files.read(name)]


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The frames of all descriptions."""
    names = found(place, reading)
    frames = [frame for name in names for frame in _frames(place, name, faults)]
    return listing_of(place, names, frames, reading, faults)


def _frames(place: Place, name: str, faults: Faults) -> Iterator[AtlasFrame]:
    where = str(place.files.path / name)
    root = xml_root(place, name, ROOT)
    sheet = sheet_of(place, name, root.get("imagePath"))
    for texture in root.iter("SubTexture"):
        try:
            yield AtlasFrame(_region(sheet, texture, where))
        except DataError as error:
            faults.report(str(error))


def xml_root(place: Place, name: str, tag: str) -> ElementTree.Element:
    """The root of an XML file; raises DataError unless it has this tag."""
    where = place.files.path / name
    try:
        root = ElementTree.fromstring(place.files.read(name))
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f"{where}: can't be read as XML ({error})") from error
    if root.tag != tag:
        raise DataError(f"{where}: begins with <{root.tag}>, not with <{tag}>")
    return root


def _region(sheet: Sheet, texture: ElementTree.Element, where: str) -> Region:
    """Where a frame lies. Its width and height are those in the sheet; the frame's offsets are negative."""
    name = texture.get("name", "")
    where = f"{where}, frame {name!r}"
    x, y, width, height = (whole(texture.get(each), each, where) for each in ("x", "y", "width", "height"))
    size, offset = None, (0, 0)
    if texture.get("frameWidth") is not None:
        left, top = (whole(texture.get(each, 0), each, where) for each in ("frameX", "frameY"))
        size = (
            whole(texture.get("frameWidth"), "frameWidth", where),
            whole(texture.get("frameHeight"), "frameHeight", where),
        )
        offset = -left, -top
    # Unlike those of TexturePacker's JSON, they are those of the part of the sheet.
    rotated = texture.get("rotated", "").lower() == "true"
    return Region(sheet, (x, y, x + width, y + height), name, where, rotated, offset, size)
