"""Long arrays in pieces, so that what is computed of them fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def chunks(array: NDArray[Scalar], size: int) -> Iterator[NDArray[Scalar]]:
    """The array [N, ...] in order, in pieces of ``size`` along its first axis; the last piece may be shorter."""
    for start in range(0, len(array), size):
        yield array[start : start + size]
