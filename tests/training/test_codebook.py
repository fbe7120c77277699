import numpy as np
import pytest

from training.attributes import Attribute, Attributes
from training.codebook import Codebook, Group, Part
from training.walk import walk

KIND = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
LEVEL = Attribute(name="level", kind="ordinal", size=3)
BOOK = Codebook(
    Attributes([KIND, LEVEL]),
    (Part("kind", 0, 1, "nearest"), Part("level", 1, 3)),
    np.array([[0, 0, 0], [10, 0, 0], [0, 0, 0], [0, 1, 0], [0, 2, 2]], np.float32),
    np.array([1, 0, 0], np.float32),
    group=Group("level", 0.5),
)


def test_weights_are_placed_by_rows_and_offset() -> None:
    assert BOOK.place(np.array([[0, 1, 0, 0.5, 0.5]])).tolist() == [[11, 1.5, 1]]


def test_what_can_not_be_mixed_is_snapped_to_the_nearest_class() -> None:
    assert BOOK.place(np.array([[0.6, 0.4, 1, 0, 0]])).tolist() == [[1, 0, 0]]
    assert BOOK.snapped == ("kind",)


def test_an_edit_keeps_what_attributes_do_not_tell() -> None:
    old, new = np.array([[1.0, 0, 1, 0, 0]]), np.array([[0.0, 1, 1, 0, 0]])
    assert BOOK.edit(np.array([[1.25, 7, -3]], np.float32), old, new).tolist() == [[11.25, 7, -3]]


def test_evidence_is_the_product_of_gaussians() -> None:
    """Variances 1 and 1/3 make 1/4; means 0 and 4 make (0 + 3 * 4) / 4 = 3. Only the group's part counts."""
    mean, variance = BOOK.evidence(np.array([[99.0, 0, 0], [99, 4, 4]]), np.log([[1.0, 1, 1], [1, 1 / 3, 1 / 3]]))
    assert mean.tolist() == pytest.approx([3, 3])
    assert variance.tolist() == pytest.approx([0.25, 0.25])


def test_a_group_s_weights_fall_with_the_squared_distance() -> None:
    """Distances 1, 0, sqrt(5) at tau 1/2: exp(-2), 1, exp(-10)."""
    expected = np.array([np.exp(-2), 1, np.exp(-10)])
    np.testing.assert_allclose(BOOK.group_weights(np.array([[1.0, 0]]))[0], expected / expected.sum(), rtol=1e-9)


def test_a_walk_goes_along_axes_and_takes_its_remainder_along() -> None:
    start = (np.array([1, 0, 0.5]), np.array([1.0, 0, 1, 0, 0]))
    end = (np.array([1, 2, 2.0]), np.array([1.0, 0, 0, 0, 1]))
    np.testing.assert_allclose(walk(BOOK, start, end, 3), [[1, 0, 0.5], [1, 1, 0.25], [1, 2, 2]])
