"""Autoencoders of dSprites whose scores are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Codebook, Part
from training.autoencoder import Encoded
from training.data.dataset import Batch, Rows
from training.data.dsprites import ATTRIBUTES, COUNT, RenderedDSprites
from training.data.dsprites_renderer import render

Codes = NDArray[np.float64]
Factors = NDArray[np.intp]
SIZES = np.array([3, 6, 40, 32, 32])
ROWS = np.random.default_rng(0).integers(0, COUNT, 600)

PARTS = tuple(Part(a.name, ATTRIBUTES.columns(a.name).start, ATTRIBUTES.columns(a.name).stop) for a in ATTRIBUTES)
FOLDING = np.eye(113, dtype=np.float32)
FOLDING[9 + 39] = FOLDING[9]  # orientation 39 is 0 again


class Oracle:
    """A codec that knows the source: encodes by looking the image up, decodes by rendering."""

    codebook = Codebook(ATTRIBUTES, PARTS, FOLDING, np.zeros(113, np.float32))
    image_shape = (64, 64, 1)

    def __init__(self, dataset: RenderedDSprites, rows: Rows) -> None:
        batch = dataset.batch(rows)
        self._weights = {image.tobytes(): target for image, target in zip(batch.images, batch.targets, strict=True)}
        placed = self.codebook.place(batch.targets)
        self._images = {z.tobytes(): image for image, z in zip(batch.images, placed, strict=True)}

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        return self._encoded(np.stack([self._weights[image.tobytes()] for image in images]))

    def _encoded(self, weights: NDArray[Any]) -> Encoded:
        z = self.codebook.place(weights)
        return Encoded(z, weights.astype(np.float32), z, np.zeros_like(z))

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        return np.stack([self._images[each.tobytes()] for each in z]).astype(np.float32) / 255


class Blank(Oracle):
    """Decodes to nothing, and always says the first class."""

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        return self._encoded(np.repeat(ATTRIBUTES.weights({a.name: 0 for a in ATTRIBUTES})[None], len(images), axis=0))

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        return np.zeros((len(z), 64, 64, 1), np.float32)


class HalfLabelled(RenderedDSprites):
    """Shape is known of the first rows only."""

    def batch(self, rows: Rows) -> Batch:
        batch = super().batch(rows)
        batch.known[:, 0] = rows < 1000
        return batch


class RenderingOracle:
    """Decodes one-hot places and mixtures of neighbours by rendering the position that they say; can't encode."""

    image_shape = (64, 64, 1)
    unfamiliar = None

    def __init__(self, snap: bool = False) -> None:
        columns = [ATTRIBUTES.columns(a.name) for a in ATTRIBUTES]
        parts = tuple(Part(a.name, c.start, c.stop) for a, c in zip(ATTRIBUTES, columns, strict=True))
        self.codebook = Codebook(ATTRIBUTES, parts, np.eye(113, dtype=np.float32), np.zeros(113, np.float32))
        self._snap = snap

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        raise NotImplementedError

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        reading = ATTRIBUTES.read(z)
        positions = reading.index if self._snap else reading.position
        return render(*positions.T)[..., None].astype(np.float32)


class FreeOracle:
    """Knows the position, the scale, and nothing, as free latents of variance .01, .05 and 1."""

    image_shape = (64, 64, 1)
    unfamiliar = None

    def __init__(self, dataset: RenderedDSprites, rows: Rows) -> None:
        batch, classes = dataset.batch(rows), dataset.classes[rows]
        noise = 0.01 * np.random.default_rng(0).standard_normal(len(rows))
        codes = np.stack([classes[:, 3] / 15.5 - 1, classes[:, 1] / 2.5 - 1, noise], axis=1).astype(np.float32)
        self._codes = {image.tobytes(): code for image, code in zip(batch.images, codes, strict=True)}
        attributes = Attributes([Attribute(name=f"z{i}", kind="continuous", range=(-2, 2)) for i in range(3)])
        parts = tuple(Part(f"z{i}", i, i + 1, code=i) for i in range(3))
        self.codebook = Codebook(attributes, parts, np.eye(3, dtype=np.float32), np.zeros(3, np.float32))

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        codes = np.stack([self._codes[image.tobytes()] for image in images])
        return Encoded(codes, codes, codes, np.log(np.array([[0.01, 0.05, 1]])).repeat(len(codes), axis=0))

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        raise NotImplementedError


class LabelOracle(RenderingOracle):
    """Decodes by rendering, and knows the labels of some images; orientations 0 and 39 it holds equally likely."""

    def __init__(self, dataset: RenderedDSprites, rows: Rows) -> None:
        super().__init__()
        batch = dataset.batch(rows)
        self._weights = {image.tobytes(): row for image, row in zip(batch.images, batch.targets, strict=True)}

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        weights = np.stack([self._weights[image.tobytes()] for image in images])
        turn = ATTRIBUTES.columns("orientation")
        both = weights[:, turn.start] + weights[:, turn.stop - 1]
        weights[:, turn.start] = weights[:, turn.stop - 1] = both / 2
        return Encoded(weights, weights, weights, np.zeros_like(weights))
