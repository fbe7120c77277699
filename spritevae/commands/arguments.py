"""What the arguments of several commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.data import Reading

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class UsageError(Exception):
    """Arguments that don't go together; the usage is shown with the message, and the exit status is 2."""


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add ``--threads``."""
    parser.add_argument("--threads", type=whole_number(1), help="CPU threads (default: one per core)")


def add_attributes(parser: argparse.ArgumentParser) -> None:
    """Add ``--attribute``."""
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=KIND[:...]",
        help="what an attribute is, for example hue=circular:36:period=36 (repeatable)",
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how people's own images are to be read."""
    group = parser.add_argument_group("images of your own", "how they are read, where what lies there doesn't tell")
    group.add_argument("--layout", default="", metavar="NAME", help="insist on a layout; an unknown name lists them")
    group.add_argument("--tile", type=_size, metavar="WxH", help="a sheet's tiles in pixels, as in 32x32")
    group.add_argument("--margin", type=whole_number(0), default=0, metavar="PX", help="around the tiles of a sheet")
    group.add_argument("--spacing", type=whole_number(0), default=0, metavar="PX", help="between the tiles of a sheet")
    group.add_argument("--levels", default="", metavar="A/B", help="the attribute that each level of folders tells")
    group.add_argument("--pattern", default="", metavar="TEXT", help="what names tell, as in '{skin}_{hair}_{_}.png'")
    group.add_argument("--frames", action="store_true", help="make an image of each frame of an animation")
    group.add_argument("--fit", default="", metavar="HOW", help="pad, crop or scale images of several sizes to one")
    group.add_argument(
        "--hold-out",
        default="",
        metavar="WAY",
        help="not trained on: combinations, images, or as a column says",
    )
    group.add_argument("--ignore", action="append", default=[], metavar="NAME", help="a column that is no attribute")
    group.add_argument("--skip-bad", action="store_true", help="leave out what can't be read, and list it")


def reading_of(options: argparse.Namespace) -> Reading:
    """What the options of ``add_reading`` say; raises DataError."""
    from training.data import Reading

    return Reading(
        layout=options.layout,
        tile=options.tile,
        margin=options.margin,
        spacing=options.spacing,
        levels=tuple(options.levels.split("/")) if options.levels else (),
        pattern=options.pattern,
        frames=options.frames,
        fit=options.fit,
        hold_out=options.hold_out,
        ignore=tuple(options.ignore),
        skip_bad=options.skip_bad,
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is no width and height in pixels, as in 32x32")
    return int(width), int(height)


def whole_number(least: int) -> Callable[[str], int]:
    """An argument type: a whole number from ``least`` on that fits 32 bits."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not least <= number < 2**31:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {2**31 - 1}")
        return number

    return whole_number


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """The values of arguments NAME=VALUE by name, the last one of each; raises ValueError for other texts."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"settings are given as NAME=VALUE, got {text!r}")
        values[name] = value
    return values
