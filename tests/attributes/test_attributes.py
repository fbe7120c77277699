"""All attributes together: their weights lie side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attributes import Attribute, Attributes, AttributeValueError
from tests.attributes.toys import ALL, SCALE, SHAPE, TURN, block


def test_weights_of_all_attributes_lie_side_by_side() -> None:
    assert (len(ALL), ALL.total) == (4, 3 + 6 + 40 + 1)
    assert [ALL.columns(attribute.name) for attribute in ALL] == [slice(0, 3), slice(3, 9), slice(9, 49), slice(49, 50)]
    weights = ALL.weights({"turn": 39, "shape": "ellipse"})
    assert weights.tolist() == [*block(3, {1: 1}), *block(6, {5: 1}), *block(40, {0: 1}), 1.5]


def test_missing_values_take_their_default() -> None:
    assert ALL.canonical({"scale": 1}) == {"shape": "heart", "scale": 1.0, "turn": 38.5, "weight": 1.5}


def test_rounded_positions_stay_within_a_turn_and_values_as_they_are() -> None:
    positions = np.array([[1, 2.123456, 38.99999, 1.23456789], [1, 0, -1e-20, -1.23456789]])
    with np.errstate(all="raise"):
        rounded = ALL.rounded(positions, 4).tolist()
    assert rounded == [[1, 2.1235, 0, 1.23456789], [1, 0, 0, -1.23456789]]


def test_an_unknown_name_lists_the_known_ones() -> None:
    for unknown in (lambda: ALL.weights({"colour": 1}), lambda: ALL["colour"]):
        with pytest.raises(AttributeValueError, match="got 'colour'; accepts the names shape, scale, turn, weight"):
            unknown()
    assert (ALL["turn"], ALL[1]) == (TURN, SCALE)


@pytest.mark.parametrize("attributes", [[], [SHAPE, SHAPE]])
def test_names_must_differ_and_there_must_be_one(attributes: list[Attribute]) -> None:
    with pytest.raises(ValueError, match="different names, at least one"):
        Attributes(attributes)


def test_equal_definitions_are_equal() -> None:
    assert Attributes([SHAPE, SCALE]) == Attributes([replace(SHAPE), replace(SCALE)])
    assert hash(Attributes([SHAPE])) == hash(Attributes([replace(SHAPE)]))
    assert Attributes([SHAPE, SCALE]) != Attributes([SCALE, SHAPE])
