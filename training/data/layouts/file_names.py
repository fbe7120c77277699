"""Names that carry values: ``--pattern '{skin}_{hair}_{frame}.png'``."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from training.data.cells import Cells
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import Listing, Place, parts_of, pictures_at
from training.data.pictures import Picture, PictureFile, is_picture
from training.data.reading import Reading

NAME = "pattern"
NEEDS = "names that --pattern describes"
# Stands for text that tells nothing.
UNNAMED = "_"


def found(place: Place, reading: Reading) -> list[str]:
    """The images, if a pattern is given."""
    return [name for name in place.chosen if is_picture(name)] if reading.pattern else []


def read(place: Place, reading: Reading, faults: Faults) -> Listing:
    """The images with what their names say."""
    images = [PictureFile(place.files, name, name, place.shown) for name in found(place, reading)]
    return named_by_pattern(images, reading.pattern, place.shown, faults)


def named_by_pattern(pictures: list[Picture] | list[PictureFile], pattern: str, source: str, faults: Faults) -> Listing:
    """Pictures with the attributes that their names tell by a pattern; raises DataError for a wrong pattern."""
    shortest, longest = _expression(pattern, "+?"), _expression(pattern, "+")
    matches = []
    for picture in pictures:
        path = PurePosixPath(picture.name)
        shown = picture.name if "/" in pattern else path.name
        if not pattern.endswith(path.suffix):
            shown = shown.removesuffix(path.suffix)
        match, other = shortest.fullmatch(shown), longest.fullmatch(shown)
        if match is None or other is None:
            faults.report(f"{source}: the name {picture.name!r} is not of the pattern {pattern!r}")
        elif match.groups() != other.groups():
            faults.report(
                f"{source}: the pattern {pattern!r} reads the name {picture.name!r} in several ways: "
                f"{' | '.join(match.groups())} or {' | '.join(other.groups())}"
            )
        else:
            matches.append((picture, match.groupdict()))
    kept = pictures_at(source, (picture for picture, _ in matches))
    columns = {
        name: Cells.of((values[name] for _, values in matches), lambda row: f"{source}, {kept[row].name!r}")
        for name in shortest.groupindex
    }
    return Listing(source=source, pictures=kept, split=parts_of(columns), columns=columns)


def _expression(pattern: str, repeat: str) -> re.Pattern[str]:
    """The regular expression that a pattern stands for, in which a field is any text without a slash, repeated so."""
    parts = re.split(r"\{([^{}]*)\}", pattern)
    names = [name for name in parts[1::2] if name != UNNAMED]
    wrong = [name for name in names if not name.isidentifier()] + [name for name in names if names.count(name) > 1]
    if not names or wrong or any(sign in text for text in parts[::2] for sign in "{}"):
        raise DataError(
            f"--pattern {pattern!r}: needs attributes in braces, each with a name of its own, as in "
            "'{skin}_{hair}_{frame}.png'; {_} is text that tells nothing"
        )
    expression = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            expression += re.escape(part)
        else:
            expression += f"[^/]{repeat}" if part == UNNAMED else f"(?P<{part}>[^/]{repeat})"
    return re.compile(expression)
