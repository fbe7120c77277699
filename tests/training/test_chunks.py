import numpy as np
import pytest

from training.chunks import chunks


@pytest.mark.parametrize(("length", "lengths"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_the_pieces_are_the_array_in_order_and_only_the_last_is_shorter(length: int, lengths: list[int]) -> None:
    array = np.arange(2 * length).reshape(length, 2)
    pieces = list(chunks(array, 4))
    assert [len(piece) for piece in pieces] == lengths
    assert np.array_equal(np.concatenate([array[:0], *pieces]), array)
