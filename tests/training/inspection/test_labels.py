"""Classes of labels, and what contradictions cost."""

import numpy as np
import pytest

from attributes import Attribute
from training.inspection.labels import ceiling, class_names, classes, contradictions


def test_continuous_values_fall_into_ten_parts() -> None:
    glow = Attribute(name="glow", kind="continuous", size=1, range=(-1.0, 1.0), default=0)
    assert classes(glow, np.array([-1, -0.81, -0.79, 0, 1, np.nan])).tolist() == [0, 0, 1, 5, 9, -1]
    assert class_names(glow)[0] == "-1 to -0.8"
    assert len(class_names(glow)) == 10


def test_classes_of_numbers_are_named_in_units() -> None:
    size = Attribute(name="size", kind="ordinal", size=3, range=(0.5, 1.0))
    assert class_names(size) == ["0.5", "0.75", "1"]
    assert classes(size, np.array([0, 2, np.nan])).tolist() == [0, 2, -1]


@pytest.mark.parametrize(
    ("labels", "keys", "expected"),
    [([0, 1, 0], [1, 2, 3], 1), ([0, 1, 0], [1, 1, 1], 2 / 3), ([0, 1, -1], [1, 1, 1], 1 / 2), ([-1], [1], 1)],
)
def test_no_model_can_tell_equal_images_apart(labels: list[int], keys: list[int], expected: float) -> None:
    assert ceiling(np.array(labels), np.array(keys, np.uint64)) == pytest.approx(expected)


def test_equal_images_with_unequal_known_labels_contradict_each_other() -> None:
    positions = np.array([[0, 1], [0, 2], [1, 1], [0, np.nan], [np.nan, np.nan]])
    assert contradictions(positions, np.array([1, 1, 2, 1, 2], np.uint64)) == 3
    assert contradictions(positions, np.arange(5).astype(np.uint64)) == 0
