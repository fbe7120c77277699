"""How people say that their own images are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Fit = Literal["", "pad", "crop", "scale"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How data is to be read, as people say it with the options of the command line."""

    layout: str = ""
    """One of ``training.data.layouts.LAYOUTS``; empty for the one that the files tell."""
    tile: tuple[int, int] | None = None
    """Width and height of a sheet's tiles in pixels."""
    margin: int = 0
    """Pixels around the tiles of a sheet."""
    spacing: int = 0
    """Pixels between the tiles of a sheet."""
    levels: tuple[str, ...] = ()
    """The attribute that each level of folders tells, the outermost first."""
    pattern: str = ""
    """Names of files with attributes in braces."""
    frames: bool = False
    """Whether each frame of an animation is an image."""
    fit: Fit = ""
    """How images of several sizes are brought to one."""
    hold_out: str = ""
    """``combinations``, ``images`` or the column that names parts of the data; empty for what means most."""
    ignore: tuple[str, ...] = ()
    """Columns that are no attributes."""
    skip_bad: bool = False
    """Whether rows and images that can't be read are left out."""

    def __post_init__(self) -> None:
        if self.fit not in get_args(Fit):
            raise ValueError(f"--fit takes {', '.join(filter(None, get_args(Fit)))}, got {self.fit!r}")
        if self.tile is not None and min(self.tile) < 1:
            raise ValueError("--tile takes a width and a height in pixels, such as 32x32")
        if self.margin < 0 or self.spacing < 0:
            raise ValueError("--margin and --spacing take pixels, 0 or more")

    @property
    def given(self) -> dict[str, Any]:
        """What differs from the defaults, for a run's parameters."""
        pairs = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value, usual in pairs if value != usual
        }

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Reading:
        """The reading that was ``given`` so; raises TypeError or ValueError for other content."""
        fields_: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**fields_)


# Everything as the files tell.
AS_FOUND = Reading()
