"""Images in arrays; their forms are tried in layouts/test_factor_arrays.py."""

import numpy as np
import pytest

from training.data.array_pictures import ArrayPictures
from training.data.dataset import DataError


def pictures(array: np.ndarray, block: int = 2) -> ArrayPictures:
    blocks = [array[i : i + block] for i in range(0, len(array), block)]
    return ArrayPictures("a.npz, imgs", "id", array.shape, array.dtype, lambda: iter(blocks))


def test_a_value_beyond_0_to_1_is_named_with_its_row() -> None:
    floats = np.zeros((5, 8, 8), np.float32)
    floats[3, 0, 0] = 1.5
    with pytest.raises(DataError, match=r"a.npz, imgs, row 3: has values from 0 to 1.5; accepts floats of 0 to 1"):
        list(pictures(floats).blocks())
    floats[3, 0, 0] = np.nan
    with pytest.raises(DataError, match="row 3"):
        list(pictures(floats).blocks())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 8, 9), (8, 9, 1)), ((5, 8, 9, 3), (8, 9, 3)), ((5, 3, 8, 9), (8, 9, 3)), ((5, 4, 8, 4), (4, 8, 4))],
)
def test_channels_are_found_last_or_first(shape: tuple[int, ...], expected: tuple[int, int, int]) -> None:
    found = pictures(np.zeros(shape, np.uint8))
    assert found.shape == expected
    assert len(found) == 5
    assert next(found.blocks()).shape == (2, *expected)


@pytest.mark.parametrize("shape", [(5, 8), (5, 8, 9, 2), (5, 2, 8, 9), (0, 8, 9), (5, 8, 9, 3, 1)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"images are \[N, H, W\], \[N, H, W, C\] or \[N, C, H, W\] with 1, 3 or 4"):
        pictures(np.zeros(shape, np.uint8))
