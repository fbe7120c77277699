"""What each kind of attribute accepts, and what weights it makes of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attributes import Attribute, AttributeValueError
from tests.attributes.toys import DISCRETE, SCALE, SHAPE, TURN, WEIGHT, block


def steps(count: int) -> NDArray[np.float64]:
    return np.linspace(0, 1, count)


@pytest.mark.parametrize(
    ("attribute", "value", "shares"),
    [
        (SHAPE, "ellipse", {1: 1}),
        (SHAPE, 2, {2: 1}),
        (SHAPE, 2.0, {2: 1}),
        (SHAPE, [1, 0, 3], {0: 0.25, 2: 0.75}),
        (SHAPE, {"value": "heart"}, {2: 1}),
        (SCALE, 0, {0: 1}),
        (SCALE, 5, {5: 1}),
        (SCALE, 2.5, {2: 0.5, 3: 0.5}),
        (SCALE, 4.75, {4: 0.25, 5: 0.75}),
        (SCALE, np.float32(0.5), {0: 0.5, 1: 0.5}),
        (SCALE, np.int64(3), {3: 1}),
        (SCALE, {"value": 2, "confidence": 0.9}, {2: 1}),
        (SCALE, np.array([0, 0, 0, 0, 2, 2]), {4: 0.5, 5: 0.5}),
        (TURN, 7, {7: 1}),
        (TURN, 38.25, {38: 0.75, 0: 0.25}),
        (TURN, 39, {0: 1}),
        (TURN, 39.5, {0: 0.5, 1: 0.5}),
        (TURN, -1, {38: 1}),
        (TURN, 39 * 10**9 + 3, {3: 1}),
        (TURN, -1e-20, {0: 1}),
        (TURN, block(40, {0: 1, 39: 2, 5: 1}), {0: 0.75, 5: 0.25}),
    ],
)
def test_a_value_becomes_weights(attribute: Attribute, value: Any, shares: dict[int, float]) -> None:
    assert attribute.weights(value).tolist() == block(attribute.size, shares)


@pytest.mark.parametrize("value", [-2, 0.3, 6])
def test_a_continuous_value_is_its_own_single_weight(value: float) -> None:
    assert WEIGHT.weights(value).tolist() == [value]


@pytest.mark.parametrize("attribute", [*DISCRETE, WEIGHT])
def test_what_is_not_a_value_is_refused_by_every_kind(attribute: Attribute) -> None:
    for value in [True, np.True_, None, math.nan, math.inf, 10**400, "circle", [], [1, 2], {}, {"values": 1}, 1j, b"0"]:
        with pytest.raises(AttributeValueError):
            attribute.weights(value)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (SHAPE, 0.5),
        (SHAPE, 3),
        (SHAPE, -1),
        (SHAPE, [0, 0, 0]),
        (SHAPE, [1, -1, 1]),
        (SHAPE, [1, math.nan, 1]),
        (SHAPE, [1, True, 1]),
        (SHAPE, ["square", 0, 0]),
        (SCALE, 5.000001),
        (SCALE, -0.1),
        (SCALE, "2"),
        (SCALE, [[1, 0, 0, 0, 0, 0]]),
        (TURN, [1.0] * 39),
        (WEIGHT, 6.1),
        (WEIGHT, [1.0]),
    ],
)
def test_a_value_outside_is_refused_with_attribute_what_it_got_and_what_it_accepts(
    attribute: Attribute, value: Any
) -> None:
    with pytest.raises(AttributeValueError) as caught:
        attribute.weights(value)
    error = caught.value
    assert (error.attribute, error.accepted) == (attribute.name, attribute.accepted)
    assert error.got[:70] == repr(value)[:70]
    assert str(error) == f"{attribute.name}: got {error.got}; accepts {error.accepted}"


def test_what_is_accepted_is_said_in_words() -> None:
    assert "'square', 'ellipse', 'heart', a whole number from 0 to 2" in SHAPE.accepted
    assert "a number from 0 to 5, or a list of 6 weights >= 0, not all 0" in SCALE.accepted
    assert "any finite number (taken modulo 39), or a list of 40 weights" in TURN.accepted
    assert WEIGHT.accepted == "a number from -2 to 6"


def test_a_long_value_is_shown_short() -> None:
    with pytest.raises(AttributeValueError) as caught:
        SHAPE.weights("x" * 10_000)
    assert len(caught.value.got) == 80


def test_huge_weights_do_not_overflow() -> None:
    assert SHAPE.weights([1e308, 1e308, 1e308]) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("attribute", "text", "shares"),
    [
        (SHAPE, "heart", {2: 1}),
        (SHAPE, "1", {1: 1}),
        (SHAPE, "1,0,1", {0: 0.5, 2: 0.5}),
        (SCALE, " 2.5", {2: 0.5, 3: 0.5}),
    ],
)
def test_text_is_parsed(attribute: Attribute, text: str, shares: dict[int, float]) -> None:
    assert attribute.weights(attribute.parse(text)).tolist() == block(attribute.size, shares)


@pytest.mark.parametrize("text", ["", "half", "1,", "nan", "1,2"])
def test_text_that_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(AttributeValueError, match="scale: got"):
        SCALE.parse(text)


@given(st.sampled_from(DISCRETE), st.data())
def test_weights_of_any_list_are_normalised_and_leave_aliases_empty(attribute: Attribute, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(0, 1e300), min_size=attribute.size, max_size=attribute.size).filter(any))
    weights = attribute.weights(values)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert not weights[attribute.classes :].any()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_is_a_circular_value_whose_canonical_form_lies_in_one_period(number: float) -> None:
    canonical = TURN.canonical(number)
    assert isinstance(canonical, float)
    assert 0 <= canonical < 39
    assert TURN.weights(number).tolist() == TURN.weights(canonical).tolist()


@given(st.sampled_from([SCALE, TURN]), st.floats(0, 1))
def test_at_most_two_neighbours_share_a_position_by_their_distance(attribute: Attribute, fraction: float) -> None:
    position = fraction * (attribute.classes - 1)
    distance = np.abs(np.arange(attribute.classes) - position)
    expected = np.pad(np.maximum(1 - distance, 0), (0, attribute.size - attribute.classes))
    assert attribute.weights(position) == pytest.approx(expected, abs=1e-12)


def test_units_and_positions_translate_both_ways() -> None:
    assert SCALE.in_unit([0, 2, 5]) == pytest.approx([0.5, 0.7, 1.0])
    assert SCALE.from_unit([0.5, 0.75, 1.0]) == pytest.approx([0, 2.5, 5])
    assert TURN.in_unit(39 / 2) == pytest.approx(math.pi)
    assert WEIGHT.in_unit([3.5]).tolist() == WEIGHT.from_unit([3.5]).tolist() == [3.5]
    assert replace(SCALE, range=None).in_unit([4]).tolist() == [4], "units are indices where no range is given"


def test_between_starts_and_ends_where_it_should() -> None:
    for attribute, start, end in [(SHAPE, "square", "heart"), (SCALE, 0.5, 4), (TURN, 37, 2.25), (WEIGHT, -1, 5)]:
        first, last = attribute.weights(start), attribute.weights(end)
        frames = attribute.between(first, last, np.array([0.0, 1.0]))
        assert frames == pytest.approx(np.stack([first, last]))


def test_ordinal_between_moves_in_position() -> None:
    frames = SCALE.between(SCALE.weights(1), SCALE.weights(4), steps(7))
    assert SCALE.read(frames).position == pytest.approx([1, 1.5, 2, 2.5, 3, 3.5, 4])


def test_continuous_between_moves_in_value() -> None:
    assert WEIGHT.between(WEIGHT.weights(-1), WEIGHT.weights(5), steps(4)).tolist() == [[-1], [1], [3], [5]]


@pytest.mark.parametrize(
    ("start", "end", "middle"), [(37, 2, 0), (2, 37, 0), (5, 9, 7), (0, 19, 9.5), (0, 20, 29.5), (38.5, 0.5, 0)]
)
def test_circular_between_takes_the_shortest_arc(start: float, end: float, middle: float) -> None:
    frame = TURN.between(TURN.weights(start), TURN.weights(end), np.array([0.5]))
    assert frame[0] == pytest.approx(TURN.weights(middle))


@pytest.mark.parametrize(("start", "end"), [(0, 2), (2, 0), (1, 3), (3, 1)])
def test_circular_between_goes_upwards_where_both_arcs_are_equal(start: int, end: int) -> None:
    quarter = Attribute(name="quarter", kind="circular", size=4, period=4)
    frame = quarter.between(quarter.weights(start), quarter.weights(end), np.array([0.5]))
    assert frame[0].tolist() == quarter.weights((start + 1) % 4).tolist()


def test_nominal_between_never_passes_through_a_third_class() -> None:
    frames = SHAPE.between(SHAPE.weights("square"), SHAPE.weights("heart"), steps(11))
    assert frames == pytest.approx(np.stack([1 - steps(11), np.zeros(11), steps(11)], axis=1))


@given(st.sampled_from([SCALE, TURN]), st.floats(0, 1), st.floats(0, 1))
def test_between_shares_each_frame_between_at_most_two_neighbours(attribute: Attribute, one: float, two: float) -> None:
    last = attribute.classes - 1
    frames = attribute.between(attribute.weights(one * last), attribute.weights(two * last), steps(9))
    assert frames.sum(axis=1) == pytest.approx(np.ones(9))
    for frame in frames:
        used = np.flatnonzero(frame > 1e-9)
        assert len(used) in (1, 2)
        apart = used[-1] - used[0]
        assert apart <= 1 or (attribute is TURN and apart == TURN.classes - 1)


@given(st.floats(0, 39), st.floats(0, 39))
def test_circular_between_is_never_longer_than_half_a_period(one: float, two: float) -> None:
    position = TURN.read(TURN.between(TURN.weights(one), TURN.weights(two), steps(50))).position
    step = (np.diff(position) + 19.5) % 39 - 19.5
    assert abs(step.sum()) <= 19.5 + 1e-6
    assert np.ptp(step) < 1e-6, "at constant speed"


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"name": "two words", "kind": "ordinal", "size": 2}, "letters, digits and underscores"),
        ({"name": "x", "kind": "cyclic", "size": 2}, "nominal, ordinal, circular, continuous"),
        ({"name": "x", "kind": "ordinal", "size": 1}, "size 1"),
        ({"name": "x", "kind": "ordinal", "size": 1025}, "classes at most 1024"),
        ({"name": "x", "kind": "continuous", "size": 2, "range": (0, 1)}, "size 2"),
        ({"name": "x", "kind": "continuous"}, "needs a range"),
        ({"name": "x", "kind": "nominal", "size": 2}, "labels go with nominal"),
        ({"name": "x", "kind": "ordinal", "size": 2, "labels": ("a", "b")}, "labels go with nominal"),
        ({"name": "x", "kind": "nominal", "size": 2, "labels": ("a", "a")}, "2 different labels"),
        ({"name": "x", "kind": "nominal", "size": 3, "labels": ("a", "b")}, "3 different labels"),
        ({"name": "x", "kind": "circular", "size": 4}, "whole period from 3 to its size 4"),
        ({"name": "x", "kind": "circular", "size": 4, "period": 5}, "whole period"),
        ({"name": "x", "kind": "ordinal", "size": 4, "period": 4}, "only a circular attribute has a period"),
        ({"name": "x", "kind": "ordinal", "size": 4, "range": (1.0, 1.0)}, "the lower first"),
        ({"name": "x", "kind": "continuous", "range": (0.0, math.inf)}, "two finite numbers"),
        ({"name": "x", "kind": "continuous", "range": (-1e308, 1e308)}, "two finite numbers"),
        ({"name": "x", "kind": "ordinal", "size": 4, "default": 4}, "x: got 4"),
        ({"name": "x", "kind": "continuous", "range": (1.0, 2.0)}, "x: got 0.0; accepts a number from 1 to 2"),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(fields: dict[str, Any], hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        Attribute(**fields)


@pytest.mark.parametrize("name", ["model", "columns", "image", "z"])
def test_names_that_requests_use_otherwise_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="mean other things"):
        Attribute(name=name, kind="ordinal", size=3)


@pytest.mark.parametrize("text", ["1_0", "\u0663", "0x3", ""])
def test_numbers_only_python_reads_are_refused_as_text(text: str) -> None:
    with pytest.raises(AttributeValueError):
        Attribute(name="scale", kind="ordinal", size=20).parse(text)


def test_a_value_inside_a_value_inside_a_value_is_refused() -> None:
    with pytest.raises(AttributeValueError):
        Attribute(name="scale", kind="ordinal", size=3).canonical({"value": {"value": 1}})


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1, Attribute(name="scale", kind="ordinal", size=3).canonical(-0.0)) == 1


@pytest.mark.parametrize(
    ("attribute", "number"),
    [(SCALE, 0), (SCALE, 5.0), (SCALE, 2.75), (TURN, 0), (TURN, math.nextafter(39, 0)), (WEIGHT, -2), (WEIGHT, 6.0)],
)
def test_a_number_between_the_ends_of_the_axis_is_canonical_as_a_float(attribute: Attribute, number: float) -> None:
    canonical = attribute.canonical(number)
    assert canonical == number
    assert type(canonical) is float


@pytest.mark.parametrize("attribute", [SCALE, TURN, WEIGHT])
def test_a_number_is_canonical_alike_as_it_is_and_as_a_number_of_numpy(attribute: Attribute) -> None:
    for number in (-0.0, 0.0, 0.5, 1.0, 5.0):
        plain, wrapped = attribute.canonical(number), attribute.canonical(np.float64(number))
        assert repr(plain) == repr(wrapped)
