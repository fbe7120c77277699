"""The renderer of dSprites: a shape at any position, size and angle as 64 x 64 pixels.

The original images were drawn without anti-aliasing. This follows the same rule, for fractional attribute values too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Height and width of an image, in px.
SIDE = 64
# Corners lie on a grid of 1/256 px.
_SUBPIXEL = 256
# A word whose 64 pixels are all set.
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _outlines() -> tuple[NDArray[np.float64], ...]:
    """Corners [V, 2] of each shape at scale 1, in px from the centre, y down; fitted to the original images."""
    half = 9.6
    square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
    t = 2 * np.pi * np.arange(100) / 100
    ellipse = half * np.stack([1.33 * np.cos(t), np.sin(t) / 1.33], axis=1)
    t = 2 * np.pi * np.arange(150) / 150
    y = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 14.5 + 0.15
    heart = half * np.stack([np.sin(t) ** 3, -y], axis=1)
    return square, ellipse, heart


_OUTLINES = _outlines()


def render(
    shape: ArrayLike, scale: ArrayLike, orientation: ArrayLike, pos_x: ArrayLike, pos_y: ArrayLike
) -> NDArray[np.uint8]:
    """Images [B, 64, 64] of 0 and 1 at positions [B] on each attribute's axis; all but shape may be fractional.

    Corners are snapped to 1/256 px. A pixel is set if its centre lies inside the outline; a centre on a left or bottom
    edge is inside, one on a right or top edge is not.
    """
    shape, scale, orientation, pos_x, pos_y = np.broadcast_arrays(
        np.atleast_1d(np.asarray(shape, np.intp)), scale, orientation, pos_x, pos_y
    )
    words = np.zeros((len(shape), SIDE), np.uint64)
    for index, outline in enumerate(_OUTLINES):
        chosen = np.flatnonzero(shape == index)
        size, angle = 0.5 + 0.1 * scale[chosen], orientation[chosen] * (2 * np.pi / 39)
        cos, sin = (size * np.cos(angle))[:, None], (size * np.sin(angle))[:, None]
        centre_x, centre_y = (16 + 32 * position[chosen, None] / 31 for position in (pos_x, pos_y))
        x = centre_x + cos * outline[:, 0] + sin * outline[:, 1]
        y = centre_y - sin * outline[:, 0] + cos * outline[:, 1]
        words[chosen] = _fill(_snap(x), _snap(y))
    return np.unpackbits(words.byteswap().view(np.uint8), axis=1).reshape(-1, SIDE, SIDE)


def _snap(position: NDArray[np.float64]) -> NDArray[np.int32]:
    """Positions in px as whole subpixels."""
    return np.floor(position * _SUBPIXEL + 0.5).astype(np.int32)


def _fill(x: NDArray[np.int32], y: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Even-odd fill of polygons with corners [B, V] in subpixels: words [B, 64], the first pixel in the top bit.

    Each edge that crosses a row of pixels flips all pixels of the row from the crossing on.
    """
    words = np.zeros((len(x), SIDE), np.uint64)
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    # The first row whose centre is below the upper end of an edge, and the last above its lower end.
    first = (np.minimum(y, next_y) - _SUBPIXEL // 2) // _SUBPIXEL + 1
    last = (np.maximum(y, next_y) - _SUBPIXEL // 2) // _SUBPIXEL
    image, corner = np.nonzero(last >= first)
    first, last = first[image, corner], last[image, corner]
    x0, y0 = x[image, corner].astype(np.int64), y[image, corner].astype(np.int64)
    dx, dy = next_x[image, corner] - x0, next_y[image, corner] - y0
    for step in range(int((last - first).max(initial=-1)) + 1):
        crossed = np.flatnonzero(first + step <= last)
        row = first[crossed] + step
        height = dy[crossed]
        along = dx[crossed] * (row * _SUBPIXEL + _SUBPIXEL // 2 - y0[crossed])
        # The first column whose centre is not left of the crossing: a division rounded up, in integers.
        column = -((_SUBPIXEL // 2 * height - x0[crossed] * height - along) // (_SUBPIXEL * height))
        inside = column < SIDE
        flips = _ALL >> np.maximum(column[inside], 0).astype(np.uint64)
        np.bitwise_xor.at(words, (image[crossed][inside], row[inside]), flips)
    return words
