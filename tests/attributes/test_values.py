"""Which numbers are numbers, and the error for a value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attributes import AttributeValueError
from attributes.values import finite_number


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.float64(2)])
def test_every_kind_of_real_number_is_a_float(value: object) -> None:
    number = finite_number(value)
    assert number == 2
    assert type(number) is float


@pytest.mark.parametrize("value", [True, np.True_, None, "2", 2j, [2], math.nan, -math.inf, np.float32("inf"), 10**400])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert finite_number(value) is None


def test_an_error_shows_the_attribute_the_value_and_what_is_accepted() -> None:
    error = AttributeValueError("scale", "x" * 100, "a number")
    assert (error.attribute, error.accepted, len(error.got)) == ("scale", "a number", 80)
    assert str(error) == f"scale: got {error.got}; accepts a number"
