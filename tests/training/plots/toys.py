"""An autoencoder whose images show z: a vertical band for each dimension, as bright as its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Codebook, Float32, Group, Part
from training.autoencoder import Encoded, to_uint8
from training.data.dataset import Batch, Rows
from training.metrics.context import EvaluationContext
from training.plots import PICTURES
from training.plots.pictures import GAP, Picture

KIND = Attribute(name="kind", kind="nominal", size=3, labels=("a", "b", "c"), default="a")
BAND = 8
HEIGHT = 28
BIT = 1 / 255


class Bands:
    """z in 0..1: three dimensions of a class, if it has one, then the free latents ``z0``, ``z1``...

    Its encoder reads z from the bands. With conditions, the class is the one that it is given, else the first.
    """

    def __init__(self, latents: int, channels: int = 1, knows: str = "", idle: tuple[int, ...] = ()) -> None:
        width = 3 if knows else 0
        free = [Attribute(name=f"z{i}", kind="continuous", range=(0.2, 0.8), default=0.5) for i in range(latents)]
        parts = [Part(a.name, width + i, width + i + 1, code=width + i) for i, a in enumerate(free)]
        self.codebook = Codebook(
            Attributes([KIND, *free] if knows else free),
            (Part("kind", 0, 3, code=0), *parts) if knows else tuple(parts),
            np.eye(width + latents, dtype=np.float32),
            np.zeros(width + latents, np.float32),
            ("kind",) if knows == "condition" else (),
            Group("kind", 0.1) if knows == "group" else None,
        )
        self.image_shape = (HEIGHT, BAND * self.codebook.length, channels)
        self._idle = list(idle)

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        z = bands(images)
        z[:, self._idle] = 0.5
        if self.codebook.conditions:
            z[:, :3] = np.eye(3)[0] if given is None else given[:, :3]
        logvar = np.log(np.tile(np.linspace(0.4, 0.1, z.shape[1]), (len(z), 1))).astype(np.float32)
        return Encoded(z, z, z, logvar)

    def decode(self, z: Float32) -> Float32:
        shown = z.copy()
        shown[:, self._idle] = 0.5
        rows = np.repeat(np.clip(shown, 0, 1), BAND, axis=1)[:, None, :, None]
        images = np.tile(rows, (1, HEIGHT, 1, self.image_shape[2])).astype(np.float32)
        if self.image_shape[2] == 4:
            images[..., 3] = 1
        return images


def bands(images: NDArray[np.uint8]) -> Float32:
    """The values [N, D] of the bands of images [N, H, W, C]."""
    shown: Float32 = (images[:, HEIGHT // 2, BAND // 2 :: BAND, 0] / 255).astype(np.float32)
    return shown


class Shown:
    """Images of an autoencoder at random points; row i is of class i % 3."""

    ceilings: Mapping[str, float] = {}
    content = "shown"

    def __init__(self, autoencoder: Bands, count: int = 60, attribute: Attribute = KIND, labelled: bool = True) -> None:
        self.attributes, self.image_shape = Attributes([attribute]), autoencoder.image_shape
        self.classes = np.arange(count) % attribute.size
        z = np.random.default_rng(0).beta(2, 5, (count, autoencoder.codebook.length)).astype(np.float32)
        self.images = to_uint8(autoencoder.decode(z))
        self.held_out = np.ones(count, np.bool_)
        self.labelled = np.full((count, 1), labelled)

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, rows: Rows) -> Batch:
        targets = np.eye(self.attributes.total, dtype=np.float32)[self.classes[rows]] * self.labelled[rows]
        return Batch(self.images[rows], targets, self.labelled[rows])

    def render(self, positions: NDArray[Any]) -> None:
        return None


def context(autoencoder: Bands, **dataset: Any) -> EvaluationContext:
    shown = Shown(autoencoder, **dataset)
    return EvaluationContext(autoencoder, shown, np.arange(len(shown)))


def cell(picture: Picture, row: int, column: int, autoencoder: Bands, margin: int = 0) -> NDArray[np.float32]:
    """The values of the bands of one image of a grid."""
    width = autoencoder.image_shape[1]
    top, left = GAP + row * (HEIGHT + GAP), margin + GAP + column * (width + GAP)
    return bands(picture[None, top : top + HEIGHT, left : left + width])[0]


def picture_of(looked: EvaluationContext, name: str, file: str) -> Picture:
    found = dict(PICTURES[name](looked))[file]
    assert not isinstance(found, list)
    return found


def margin_of(picture: Picture, autoencoder: Bands, columns: int) -> int:
    return picture.shape[1] - (columns * (autoencoder.image_shape[1] + GAP) + GAP)
