"""The forms of an attribute's value, and the error for a value that is not accepted. numpy only."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A label, a position or value, or weights over the classes.
Value = float | str | list[float]
Floats = NDArray[np.floating[Any]]


class AttributeValueError(ValueError):
    """A value that an attribute does not accept. The message holds the attribute, the value and what is accepted."""

    def __init__(self, attribute: str, got: object, accepted: str) -> None:
        shown = repr(got)
        self.attribute = attribute
        self.got = shown if len(shown) <= 80 else shown[:77] + "..."
        self.accepted = accepted
        super().__init__(f"{attribute}: got {self.got}; accepts {accepted}")


def finite_number(value: object) -> float | None:
    """A real number as a finite float, else None. A truth value is no number."""
    if type(value) is float:  # first, as most values are
        return value if math.isfinite(value) else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
