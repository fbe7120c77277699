"""Folders of images that tests write, and what becomes of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attributes import Attribute, Attributes
from training.data.dataset import DataError
from training.data.image_dataset import ImageDataset
from training.data.reading import AS_FOUND, Reading

MakeFolder = Callable[..., Path]


def picture(seed: int, mode: str = "L", size: tuple[int, int] = (32, 28)) -> Image.Image:
    """Random pixels; ``size`` is width, height, as everywhere in Pillow."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), np.uint8)
    return Image.fromarray(pixels.squeeze())


def only(dataset: ImageDataset) -> Attribute:
    (attribute,) = dataset.attributes
    return attribute


def targets(dataset: ImageDataset) -> list[list[float]]:
    rows: list[list[float]] = dataset.batch(np.arange(len(dataset))).targets.tolist()
    return rows


def refusal(path: Path, *overrides: str, attributes: Attributes | None = None, reading: Reading = AS_FOUND) -> str:
    with pytest.raises(DataError) as caught:
        ImageDataset(path, overrides, attributes, reading)
    return str(caught.value)
