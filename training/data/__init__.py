"""Data sources: one file each. Nothing outside this package knows a data set by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.attributes import Attributes
from training.data.dsprites import COUNT, DSpritesFile, RenderedDSprites, download
from training.data.folder import FolderSource
from training.data.source import DataError, Source

SOURCES = """dsprites (rendered), dsprites-original (downloaded into ./data), a dSprites .npz file, \
or a folder of images with labels.csv"""


def open_source(spec: str, overrides: Sequence[str] = (), attributes: Attributes | None = None) -> Source:
    """The source that ``spec`` names.

    ``overrides`` (as of ``--attribute``) and ``attributes`` (of an earlier run, to keep classes and ranges as they
    were) are for folders, whose vocabulary isn't fixed. Raises DataError that says what there is.
    """
    path = Path(spec)
    if path.is_dir():
        return FolderSource(path, overrides, attributes=attributes)
    if overrides:
        raise DataError(f"--attribute describes the columns of a folder's labels.csv; {spec} has its own attributes")
    if spec == "dsprites":
        return RenderedDSprites()
    if spec == "dsprites-original":
        original = DSpritesFile(download(Path("data")))
        if len(original) != COUNT:
            raise DataError(f"the original dSprites has {COUNT} rows, this file {len(original)}")
        return original
    if path.suffix == ".npz":
        return DSpritesFile(path)
    raise DataError(f"no data at {spec!r}; there is: {SOURCES}")
