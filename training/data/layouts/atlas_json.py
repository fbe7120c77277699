"""Atlases that JSON describes: of Aseprite and TexturePacker (array or hash, multipack), or a plain list of sprites.

Tags, animations and durations of frames become attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.layouts.atlas_frames import AtlasFrame, listing_of, sheet_of, whole
from training.data.listing import Listing, Place
from training.data.pictures import Region, Sheet
from training.data.reading import Reading

NAME = "atlas"
NEEDS = "atlases of Aseprite or TexturePacker (JSON)"
PACKS = "related_multi_packs"


def found(place: Place, reading: Reading) -> list[str]:
    """The descriptions."""
    return [name for name in place.chosen if name.lower().endswith(".json") and _is_atlas(place, name)]


def _is_atlas(place: Place, name: str) -> bool:
    if len(place.chosen) == 1:
        return True  # what was named itself is read, to say what is wrong with it
    try:
        content = json.loads(place.files.read(name))
    except (ValueError, DataError, OSError):
        return False
    return isinstance(content, dict) and isinstance(content.get("frames", content.get("sprites")), list | dict)


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The frames of all descriptions, and of those that they say belong to them."""
    names = list(dict.fromkeys(found(place, reading)))
    frames: list[AtlasFrame] = []
    for name in names:  # grows by related packs
        content = _content(place, name)
        frames += _frames(place, name, content, faults)
        related = content.get("meta", {}).get(PACKS, []) if isinstance(content.get("meta"), dict) else []
        for other in related if isinstance(related, list) else []:
            pack = _beside(name, str(other))
            if pack not in names:
                names.append(pack)
    return listing_of(place, names, frames, reading, faults)


def _content(place: Place, name: str) -> Mapping[str, Any]:
    where = place.files.path / name
    try:
        content = json.loads(place.files.read(name))
    except (ValueError, OSError) as error:
        raise DataError(f"{where}: can't be read as JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("frames", content.get("sprites")), list | dict):
        raise DataError(f"{where}: holds no 'frames' as Aseprite and TexturePacker write them, and no 'sprites'")
    return content


def _beside(name: str, other: str) -> str:
    """The name of a file that lies beside another one."""
    return str(PurePosixPath(name).parent / other)


def _frames(place: Place, name: str, content: Mapping[str, Any], faults: Faults) -> Iterator[AtlasFrame]:
    where = str(place.files.path / name)
    meta = content.get("meta") if isinstance(content.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    sheet = sheet_of(place, name, meta.get("image"))
    told = _tags(meta.get("frameTags"), where)
    animations = content.get("animations")
    by_name = _animations(animations) if isinstance(animations, dict) else {}
    for number, (frame, given) in enumerate(_named(content, where)):
        try:
            region = _region(sheet, frame, given, where)
        except DataError as error:
            faults.report(str(error))
            continue
        values = {**by_name.get(frame, {}), **told.get(number, {})}
        if "duration" in given:
            values["duration"] = str(given["duration"])
        yield AtlasFrame(region, values)


def _named(content: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name and the description of each frame."""
    frames = content.get("frames", content.get("sprites"))
    pairs = frames.items() if isinstance(frames, dict) else ((None, each) for each in frames or ())
    for number, (name, given) in enumerate(pairs):
        if not isinstance(given, dict):
            raise DataError(f"{where}, frame {number}: is {type(given).__name__}, not an object")
        yield str(name if name is not None else given.get("filename", given.get("name", number))), given


def _region(sheet: Sheet, name: str, given: Mapping[str, Any], where: str) -> Region:
    """Where a frame lies. Its width and height are those of the picture as it is seen, however it lies in the sheet."""
    where = f"{where}, frame {name!r}"
    x, y, width, height = _box(given.get("frame", given), where)
    rotated = given.get("rotated") is True
    across, down = (height, width) if rotated else (width, height)
    size = offset = None
    if given.get("trimmed") is True or "spriteSourceSize" in given:
        left, top, _, _ = _box(given.get("spriteSourceSize"), where)
        source = given.get("sourceSize")
        if not isinstance(source, dict):
            raise DataError(f"{where}: is trimmed, but has no 'sourceSize'")
        size = whole(source.get("w"), "sourceSize w", where), whole(source.get("h"), "sourceSize h", where)
        offset = left, top
    return Region(sheet, (x, y, x + across, y + down), name, where, rotated, offset or (0, 0), size)


def _box(given: object, where: str) -> tuple[int, int, int, int]:
    if not isinstance(given, dict):
        raise DataError(f"{where}: has no 'frame' with x, y, w and h")
    short = {"w": "width", "h": "height"}
    x, y, w, h = (whole(given.get(each, given.get(short.get(each, each))), each, where) for each in "xywh")
    return x, y, w, h


def _tags(tags: object, where: str) -> dict[int, dict[str, str]]:
    """For each frame by its number, the tag that it belongs to, the shortest of several, and its place in it."""
    told: dict[int, dict[str, str]] = {}
    for tag in sorted(_spans(tags, where), key=lambda span: span[1] - span[2]):  # the longest first
        name, first, last = tag
        for number in range(first, last + 1):
            told[number] = {"tag": name, "frame": str(number - first)}
    return told


def _spans(tags: object, where: str) -> Iterator[tuple[str, int, int]]:
    for tag in tags if isinstance(tags, list) else ():
        if not isinstance(tag, dict):
            raise DataError(f"{where}: a tag is {type(tag).__name__}, not an object")
        what = f"tag {tag.get('name')!r}"
        yield (
            str(tag.get("name")),
            whole(tag.get("from"), f"{what} from", where),
            whole(tag.get("to"), f"{what} to", where),
        )


def _animations(animations: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """For each frame by its name, the first animation that it belongs to, and its place in it."""
    told: dict[str, dict[str, str]] = {}
    for name, frames in animations.items():
        for number, frame in enumerate(frames if isinstance(frames, list) else ()):
            told.setdefault(str(frame), {"animation": name, "frame": str(number)})
    return told
