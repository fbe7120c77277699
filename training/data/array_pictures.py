"""Images of one size that lie in an array, read in blocks so that memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import DataError

# Images that are read at once.
BLOCK = 1024


@dataclass(frozen=True)
class ArrayPictures:
    """An array [N, H, W], [N, H, W, C] or [N, C, H, W] of bytes, of booleans, or of floats of 0..1.

    Raises DataError for another array.
    """

    where: str
    """File and name of the array, for messages."""
    identity: str
    """The file's name and state, and the array's name."""
    array_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read_blocks: Callable[[], Iterator[NDArray[Any]]]
    """The array in blocks of some of its rows, from the first to the last."""

    def __post_init__(self) -> None:
        if self.dtype != np.uint8 and self.dtype != np.bool_ and self.dtype.kind != "f":
            raise DataError(
                f"{self.where}: holds {self.dtype}; images are bytes (uint8), booleans, or floats of 0 to 1"
            )
        if len(self.array_shape) not in (3, 4) or not all(self.array_shape) or self._channels not in (1, 3, 4):
            raise DataError(
                f"{self.where}: has the shape {list(self.array_shape)}; images are [N, H, W], [N, H, W, C] or "
                "[N, C, H, W] with 1, 3 or 4 channels"
            )

    def __len__(self) -> int:
        return self.array_shape[0]

    @property
    def _channels_first(self) -> bool:
        return len(self.array_shape) == 4 and self.array_shape[3] not in (1, 3, 4)

    @property
    def _channels(self) -> int:
        if len(self.array_shape) == 3:
            return 1
        return self.array_shape[1] if self._channels_first else self.array_shape[3]

    @property
    def shape(self) -> tuple[int, int, int]:
        """[H, W, C] of every image."""
        height, width = self.array_shape[2:4] if self._channels_first else self.array_shape[1:3]
        return height, width, self._channels

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """All images in blocks [B, H, W, C]; bytes as they are, floats and booleans as 0..255.

        Raises DataError for floats outside of 0..1.
        """
        first = 0
        for block in self.read_blocks():
            images = block[..., None] if block.ndim == 3 else block
            images = images.transpose(0, 2, 3, 1) if self._channels_first else images
            yield images if images.dtype == np.uint8 else self._bytes(images, first)
            first += len(block)

    def _bytes(self, images: NDArray[Any], first: int) -> NDArray[np.uint8]:
        if images.dtype == np.bool_:
            return images.astype(np.uint8) * np.uint8(255)
        wrong = ~((images >= 0) & (images <= 1)).all(axis=(1, 2, 3))
        if wrong.any():
            row = int(wrong.argmax())
            low, high = images[row].min(), images[row].max()
            raise DataError(
                f"{self.where}, row {first + row}: has values from {low:g} to {high:g}; accepts floats of 0 to 1"
            )
        scaled: NDArray[np.uint8] = np.rint(images * 255).astype(np.uint8)
        return scaled
