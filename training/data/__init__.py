"""Datasets. Nothing outside this package knows a data set by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attributes import Attributes
from training.data import dsprites, mnist
from training.data.dataset import DataError, Dataset
from training.data.dsprites import DSpritesFile, RenderedDSprites
from training.data.few_labels import partially_labelled
from training.data.image_dataset import ImageDataset
from training.data.layouts import LAYOUTS
from training.data.layouts.table import LABELS
from training.data.mnist import IdxDataset
from training.data.reading import AS_FOUND, Reading
from training.data.splits import IMAGES

__all__ = ["DOWNLOADS", "LAYOUTS", "SOURCES", "Reading", "open_dataset", "partially_labelled"]

# The folder for data sets that are downloaded.
DOWNLOADS = Path("data")
# What can be given as --data; error messages show it.
SOURCES = f"""dsprites (rendered), dsprites-original, mnist and fashion-mnist (downloaded into ./data), a folder of \
idx files as MNIST's, or a file, folder or archive with {"; ".join(layout.NEEDS for layout in LAYOUTS.values())}"""


def open_dataset(
    spec: str, overrides: Sequence[str] = (), attributes: Attributes | None = None, reading: Reading = AS_FOUND
) -> Dataset:
    """The dataset that ``spec`` names.

    ``overrides`` (as ``--attribute`` takes them), ``attributes`` and ``reading`` are for people's own images, whose
    attributes are not fixed. ``attributes`` are those of an earlier run: classes and ranges stay as they were then.
    Raises DataError for anything else; the message lists the datasets.
    """
    path = Path(spec)
    published = _published(spec, path, reading)
    if published is None:
        if not path.exists():
            raise DataError(f"no data at {spec!r}; there is: {SOURCES}")
        return ImageDataset(path, overrides, attributes, reading)
    if overrides or reading not in (AS_FOUND, Reading(hold_out=IMAGES)):
        raise DataError(f"--attribute and options of layouts are for images of your own; {spec} has its own attributes")
    return published


def _published(spec: str, path: Path, reading: Reading) -> Dataset | None:
    """The published data set that ``spec`` names or whose files lie there; None for people's own."""
    if spec == "dsprites":
        return RenderedDSprites()
    if spec == "dsprites-original":
        return dsprites.original(DOWNLOADS)
    if spec in mnist.PUBLISHED:
        return IdxDataset(mnist.fetch(spec, DOWNLOADS / spec))
    if reading.layout:
        return None
    if path.is_dir() and mnist.is_idx_folder(path) and not (path / LABELS).exists():
        return IdxDataset(path)
    if dsprites.is_layout(path):
        return DSpritesFile(path)
    return None
