"""How weights are read back: the most probable class, refined by its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from attributes import Attribute
from tests.attributes.toys import ALL, SCALE, SHAPE, TURN, WEIGHT, block


@given(st.sampled_from([SCALE, TURN]), st.floats(0, 1, exclude_max=True))
def test_read_is_the_inverse_of_weights_at(attribute: Attribute, fraction: float) -> None:
    position = fraction * (attribute.classes if attribute.kind == "circular" else attribute.classes - 1)
    reading = attribute.read(attribute.weights_at([position]))
    apart = abs(reading.position[0] - position)
    assert min(apart, abs(apart - attribute.classes)) < 1e-9
    nearest = abs(reading.index[0] - position)
    assert min(nearest, abs(nearest - attribute.classes)) <= 0.5 + 1e-9
    assert reading.confidence[0] >= 0.5 - 1e-9


@given(st.floats(-2, 6))
def test_a_continuous_reading_is_the_value_itself(value: float) -> None:
    reading = WEIGHT.read(WEIGHT.weights_at([value]))
    assert (reading.position[0], reading.index[0], reading.confidence[0]) == (value, 0, 1)


def test_a_continuous_reading_is_clipped_to_the_range() -> None:
    assert WEIGHT.read(np.array([[-9.0], [9.0]])).position.tolist() == [-2, 6]


def test_a_nominal_reading_is_the_most_probable_class() -> None:
    reading = SHAPE.read(np.array([[0.2, 0.3, 0.5], [0.6, 0.0, 0.4]]))
    assert (reading.position.tolist(), reading.index.tolist()) == ([2, 0], [2, 0])
    assert reading.confidence.tolist() == [0.5, 0.6]
    assert [SHAPE.value(position) for position in reading.position] == ["heart", "square"]


def test_a_reading_is_refined_by_the_neighbours_of_the_most_probable_class() -> None:
    reading = SCALE.read(np.array([[0.1, 0.5, 0.3, 0, 0, 0.1], [0.75, 0.25, 0, 0, 0, 0]]))
    assert reading.position == pytest.approx([(0 * 0.1 + 1 * 0.5 + 2 * 0.3) / 0.9, 0.25])


def test_the_alias_counts_for_the_class_it_stands_for() -> None:
    weights = np.array([block(40, {0: 0.25, 39: 0.25, 7: 0.5 - 2**-10, 8: 2**-10})])
    assert TURN.read(weights).index.tolist() == [0]
    assert TURN.read(weights).confidence.tolist() == [0.5]
    assert TURN.fold(weights)[0].tolist() == block(40, {0: 0.5, 7: 0.5 - 2**-10, 8: 2**-10})
    assert weights[0, 39] == 0.25, "the argument is left alone"


def test_a_reading_wraps_at_the_seam() -> None:
    weights = np.array([block(40, {38: 0.4, 0: 0.6}), block(40, {38: 0.6, 39: 0.4})])
    assert TURN.read(weights).position == pytest.approx([38.6, 38.4])


def test_reading_all_weights_reads_each_block() -> None:
    reading = ALL.read(ALL.weights({"shape": 1, "scale": 2.25, "turn": -0.5, "weight": 4})[None])
    assert reading.position == pytest.approx(np.array([[1, 2.25, 38.5, 4]]))
    assert reading.index.tolist() == [[1, 2, 0, 0]]
    assert reading.confidence == pytest.approx(np.array([[1, 0.75, 0.5, 1]]))


@given(hnp.arrays(np.float32, (3, ALL.total), elements=st.floats(0, 1, width=32)))
def test_all_are_read_as_each_is(weights: NDArray[np.float32]) -> None:
    together = ALL.read(weights)
    for index, attribute in enumerate(ALL):
        alone = attribute.read(weights[:, ALL.columns(attribute.name)])
        assert together.position[:, index].tolist() == alone.position.tolist()
        assert together.index[:, index].tolist() == alone.index.tolist()
        assert together.confidence[:, index].tolist() == alone.confidence.tolist()
    positions = together.position
    units = [attribute.in_unit(positions[:, index]) for index, attribute in enumerate(ALL)]
    assert ALL.in_unit(positions).T.tolist() == [unit.tolist() for unit in units]


def test_no_weight_at_all_is_the_first_class() -> None:
    assert TURN.read(np.zeros((1, 40))).position.tolist() == [0]


def test_aliases_of_several_turns_are_all_folded() -> None:
    turn = Attribute(name="turn", kind="circular", size=12, period=4)
    folded = turn.fold(np.eye(12))
    assert folded.argmax(axis=1).tolist() == [0, 1, 2, 3] * 3
    assert folded.sum() == 12


def test_a_circular_reading_is_less_than_the_period() -> None:
    turn = Attribute(name="turn", kind="circular", size=39, period=39)
    weights = np.zeros((1, 39))
    weights[0, [0, 38]] = 1, 1e-30
    assert turn.read(weights).position[0] == 0


def test_a_reading_of_single_precision_is_always_accepted() -> None:
    glow = Attribute(name="glow", kind="continuous", range=(0.0, 0.1), default=0.05)
    for value in (-1, 0.1, 7):
        glow.weights(float(glow.read(np.array([[value]], np.float32)).position[0]))
