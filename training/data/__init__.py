"""Datasets, one file each. Nothing outside this package knows a data set by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attributes import Attributes
from training.data import dsprites, mnist
from training.data.dataset import DataError, Dataset
from training.data.dsprites import DSpritesFile, RenderedDSprites
from training.data.few_labels import partially_labelled
from training.data.folder import FolderDataset
from training.data.labels_csv import LABELS_CSV
from training.data.mnist import IdxDataset

__all__ = ["DOWNLOADS", "SOURCES", "open_dataset", "partially_labelled"]

# The folder for data sets that are downloaded.
DOWNLOADS = Path("data")
# What can be given as --data; error messages show it.
SOURCES = """dsprites (rendered), dsprites-original, mnist and fashion-mnist (downloaded into ./data), a dSprites .npz \
file, a folder of idx files as MNIST's, or a folder of images with labels.csv"""


def open_dataset(spec: str, overrides: Sequence[str] = (), attributes: Attributes | None = None) -> Dataset:
    """The dataset that ``spec`` names.

    ``overrides`` (as ``--attribute`` takes them) and ``attributes`` are for folders, whose attributes are not fixed.
    ``attributes`` are those of an earlier run: classes and ranges stay as they were then. Raises
    DataError for anything else; the message lists the datasets.
    """
    path = Path(spec)
    named = spec in ("dsprites", "dsprites-original", *mnist.PUBLISHED)
    if path.is_dir() and not named and ((path / LABELS_CSV).exists() or not mnist.is_idx_folder(path)):
        return FolderDataset(path, overrides, attributes=attributes)
    if overrides:
        raise DataError(f"--attribute describes the columns of a folder's labels.csv; {spec} has its own attributes")
    if spec == "dsprites":
        return RenderedDSprites()
    if spec == "dsprites-original":
        return dsprites.original(DOWNLOADS)
    if spec in mnist.PUBLISHED:
        return IdxDataset(mnist.fetch(spec, DOWNLOADS / spec))
    if path.is_dir():
        return IdxDataset(path)
    if path.suffix == ".npz":
        return DSpritesFile(path)
    raise DataError(f"no data at {spec!r}; there is: {SOURCES}")
