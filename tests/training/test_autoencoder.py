"""Images as integers."""

from __future__ import annotations

import numpy as np

from training.autoencoder import to_uint8


def test_images_are_rounded_to_the_nearest_integer_and_clipped() -> None:
    assert to_uint8(np.array([-0.5, 0, 0.49 / 255, 0.51 / 255, 1, 1.5])).tolist() == [0, 0, 0, 1, 255, 255]


def test_every_integer_comes_back() -> None:
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(values.astype(np.float32) / 255), values)
