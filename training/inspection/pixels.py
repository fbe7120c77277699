"""What the pixels of a dataset tell: colours, copies, near copies."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.chunks import chunks
from training.data.dataset import Dataset

CHUNK = 1024
# Sides of the small images and levels of their pixels, by which near copies are found.
SMALL_SIDE, SMALL_LEVELS = 8, 8


class Pixels:
    """What one pass over all images tells."""

    def __init__(self, dataset: Dataset) -> None:
        self.keys = np.empty(len(dataset), np.uint64)
        self.small = np.empty(len(dataset), np.uint64)
        self.colours = np.zeros(2**24, np.bool_)
        self.alphas = np.zeros(256, np.bool_)
        self.brightest = 0
        with tqdm(total=len(dataset), desc="images", leave=False) as progress:
            for rows in chunks(np.arange(len(dataset)), CHUNK):
                images = dataset.batch(rows).images
                self.keys[rows] = _digests(images)
                self.small[rows] = _digests(_small(images))
                self._add_colours(images)
                progress.update(len(rows))

    def _add_colours(self, images: NDArray[np.uint8]) -> None:
        channels = images.shape[3]
        colour = images[..., :3] if channels >= 3 else images.repeat(3, axis=3)
        if channels == 4:
            colour = colour[images[..., 3] > 0]
            self.alphas[np.unique(images[..., 3])] = True
        else:
            self.alphas[255] = True
        packed = colour.reshape(-1, 3).astype(np.uint32) @ np.array([2**16, 2**8, 1], np.uint32)
        self.colours[packed] = True
        self.brightest = max(self.brightest, int(colour.max(initial=0)))


def _digests(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A key [B] for each image [B, ...], the same for equal ones."""
    digests = [hashlib.blake2b(image, digest_size=8).digest() for image in np.ascontiguousarray(images)]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def _small(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [B, 8, 8, C] of few levels, in which small differences vanish; alpha weighs colours."""
    floats: NDArray[np.floating[Any]] = images.astype(np.float32)
    if images.shape[3] == 4:
        floats[..., :3] *= floats[..., 3:] / 255
    for axis in (1, 2):
        edges = np.linspace(0, floats.shape[axis], SMALL_SIDE + 1).astype(int)
        counts = np.diff(edges).reshape([-1 if i == axis else 1 for i in range(4)])
        floats = np.add.reduceat(floats, edges[:-1], axis=axis) / counts
    return (floats * (SMALL_LEVELS / 256)).astype(np.uint8)
