"""One named attribute: its values, its weights, and the translations between them. numpy only.

A value has three forms:

* a *value*, as people write it: a position on the attribute's axis (with fractions where classes have an order), a
  label, explicit weights, or an object that holds one of these under ``value``;
* *weights* over the attribute's classes, [K]: an index is one-hot, 2.5 is half class 2 and half class 3. A continuous
  attribute is its own single weight;
* a *reading* of a distribution over classes: position, index and confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from attributes.readings import Reader, Reading, fold_aliases
from attributes.values import AttributeValueError, Floats, Value, finite_number

Kind = Literal["nominal", "ordinal", "circular", "continuous"]
KINDS: tuple[Kind, ...] = ("nominal", "ordinal", "circular", "continuous")
# Fewer classes than these would have no order, or no arcs of different length.
FEWEST_CLASSES: dict[str, int] = {"nominal": 1, "ordinal": 2, "circular": 3, "continuous": 1}
MAX_CLASSES = 1024
# Requests and label files use these names for other things.
RESERVED = ("columns", "image", "model", "z")


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One named attribute. Raises ValueError on fields that contradict each other."""

    name: str
    kind: Kind
    size: int = 1
    """The number of classes; 1 if continuous."""
    labels: tuple[str, ...] = ()
    """The names of the classes of a nominal attribute."""
    period: int | None = None
    """The number of different classes of a circular attribute. Class k is an alias of class k - period."""
    unit: str = ""
    range: tuple[float, float] | None = None
    """The values in ``unit`` of the first and the last class, or the usual range of a continuous attribute."""
    limits: tuple[float, float] | None = None
    """The lowest and highest accepted value of a continuous attribute, by default those of the range."""
    default: float | str = 0.0
    """A label of a nominal attribute, else a position or value."""

    def __post_init__(self) -> None:
        def fail(what: str) -> None:
            raise ValueError(f"attribute {self.name!r}: {what}")

        if not self.name.isidentifier():
            fail("a name must be letters, digits and underscores, and not begin with a digit")
        if self.name in RESERVED:
            fail(f"the names {', '.join(RESERVED)} mean other things where values are given by name")
        if self.kind not in KINDS:
            fail(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if not FEWEST_CLASSES[self.kind] <= self.size <= (1 if self.kind == "continuous" else MAX_CLASSES):
            fail(f"a {self.kind} attribute can't have size {self.size} (classes at most {MAX_CLASSES})")
        if (self.kind == "nominal") != bool(self.labels):
            fail("labels go with nominal attributes, and only with them")
        if self.labels and (len(self.labels) != self.size or len(set(self.labels)) != self.size):
            fail(f"needs {self.size} different labels, got {list(self.labels)}")
        if self.kind == "circular":
            if self.period is None or not 3 <= self.period <= self.size:
                fail(f"a circular attribute needs a whole period from 3 to its size {self.size}, got {self.period}")
        elif self.period is not None:
            fail("only a circular attribute has a period")
        if self.range is None:
            if self.kind == "continuous":
                fail("a continuous attribute needs a range")
            object.__setattr__(self, "range", (0.0, float(max(self.size - 1, 1))))
        low, high = self.bounds
        if not (math.isfinite(low) and math.isfinite(high) and low < high and math.isfinite(high - low)):
            fail(f"a range must be two finite numbers, the lower first, got {self.range}")
        if self.limits is not None:
            least, most = self.limits
            if self.kind != "continuous" or not (math.isfinite(most - least) and least <= low and high <= most):
                fail(f"limits go with continuous attributes, and hold the range {self.range}; got {self.limits}")
        object.__setattr__(self, "default", self.canonical(self.default))

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value, in ``unit``."""
        assert self.range is not None
        return self.range

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Both ends of its axis: positions of the first and the last class, or the values of a continuous one."""
        return self.bounds if self.kind == "continuous" else (0.0, float(self.size - 1))

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The lowest and highest position or value that is accepted."""
        return self.limits or self.ends

    @cached_property
    def _canonical_range(self) -> tuple[float, float]:
        """The lowest and highest number that is its own canonical form. Of a nominal attribute none is."""
        if self.kind == "nominal":
            return math.inf, -math.inf
        return (0.0, math.nextafter(self.classes, 0)) if self.kind == "circular" else self.extremes

    @cached_property
    def classes(self) -> int:
        """The number of different classes: the size without a circular attribute's aliases."""
        return self.period or self.size

    @property
    def accepted(self) -> str:
        """The values that ``weights`` accepts, in words."""
        listed = f"a list of {self.size} weights >= 0, not all 0"
        if self.kind == "nominal":
            return f"{', '.join(map(repr, self.labels))}, a whole number from 0 to {self.size - 1}, or {listed}"
        if self.kind == "ordinal":
            return f"a number from 0 to {self.size - 1}, or {listed}"
        if self.kind == "circular":
            return f"any finite number (taken modulo {self.period}), or {listed}"
        return "a number from {:.15g} to {:.15g}".format(*self.extremes)

    def error(self, got: object) -> AttributeValueError:
        """The error for a value that the attribute does not accept."""
        return AttributeValueError(self.name, got, self.accepted)

    def canonical(self, value: Any) -> Value:
        """The canonical form of a value: a label, a position or value as float, or weights that sum to 1.

        Raises AttributeValueError if the attribute does not accept it.
        """
        if type(value) is float or type(value) is int:  # first, as most values are numbers
            low, high = self._canonical_range
            return value + 0.0 if low <= value <= high else self._canonical_number(value)  # -0.0 + 0.0 is 0.0
        if isinstance(value, str):
            if value in self.labels:
                return value
            raise self.error(value)
        if isinstance(value, Mapping):
            if "value" not in value or isinstance(value["value"], Mapping):
                raise self.error(dict(value))
            return self.canonical(value["value"])
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, Sequence):
            return self._canonical_list(value)
        return self._canonical_number(value)

    def parse(self, text: str) -> Value:
        """The canonical form of a value written as text: a label, a number, or weights with commas between them.

        Raises AttributeValueError if the attribute does not accept it.
        """
        if text in self.labels:
            return text
        try:
            if "_" in text or not text.isascii():  # float() accepts 1_0 and digits of other scripts
                raise ValueError
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            raise self.error(text) from None
        return self.canonical(numbers if len(numbers) > 1 else numbers[0])

    def weights(self, value: Any) -> Floats:
        """Weights [K] of one value. Raises AttributeValueError if the attribute does not accept it."""
        weights = np.zeros(self.size)
        self.fill(weights, 0, self.canonical(value))
        return weights

    def fill(self, weights: Floats, start: int, value: Value) -> None:
        """Write the weights of a canonical value into an array of zeros, in its columns from ``start`` on."""
        if isinstance(value, float):  # first, as most values are numbers
            if self.kind == "continuous":
                weights[start] = value
                return
            floor = int(value)
            share = value - floor
            weights[start + floor] = 1 - share
            if share:
                weights[start + (floor + 1) % self.classes] = share
        elif isinstance(value, str):
            weights[start + self.labels.index(value)] = 1
        else:
            weights[start : start + self.size] = self.fold(np.array(value))

    def weights_at(self, positions: ArrayLike) -> Floats:
        """Weights [B, K] of accepted positions [B]: two neighbouring classes share a position by their distance.

        The weight of a continuous attribute is its value.
        """
        position = np.asarray(positions, np.float64)
        if self.kind == "continuous":
            return position[:, None]
        if self.kind == "circular":
            position = position % self.classes
        floor = np.floor(position).astype(np.intp)
        share = position - floor
        rows = np.arange(len(position))
        weights: Floats = np.zeros((len(position), self.size))
        np.add.at(weights, (rows, floor % self.classes), 1 - share)
        np.add.at(weights, (rows, (floor + 1) % self.classes), share)
        return weights

    def fold(self, weights: Floats) -> Floats:
        """Weights [..., K] with those of aliases added to the classes that they stand for."""
        return fold_aliases(weights, self.classes)

    def read(self, weights: Floats) -> Reading:
        """The reading [B] of weights [B, K]. A continuous value is clipped to the attribute's limits."""
        reading = self._reader.read(weights)
        return Reading(reading.position[:, 0], reading.index[:, 0], reading.confidence[:, 0])

    @cached_property
    def _reader(self) -> Reader:
        return Reader([self])

    def value(self, position: float) -> Value:
        """A reading's position as a value that ``weights`` accepts: a label if nominal, else the number."""
        return self.labels[int(position)] if self.kind == "nominal" else float(position)

    def in_unit(self, position: ArrayLike) -> Floats:
        """Positions as values in ``unit``."""
        low, span, steps = self.unit_scale
        values: Floats = low + span * np.asarray(position, np.float64) / steps
        return values

    @property
    def unit_scale(self) -> tuple[float, float, int]:
        """low, span, steps: a position is low + span * position / steps in ``unit``."""
        if self.kind == "continuous":
            return 0.0, 1.0, 1
        low, high = self.bounds
        return low, high - low, max(self.size - 1, 1)

    def from_unit(self, value: ArrayLike) -> Floats:
        """Values in ``unit`` as positions."""
        value = np.asarray(value, np.float64)
        if self.kind == "continuous":
            return value
        low, high = self.bounds
        return (value - low) / (high - low) * (self.size - 1)

    def between(self, start: Floats, end: Floats, t: Floats) -> Floats:
        """Weights [T, K] between weights ``start`` [K] and ``end`` [K], at fractions ``t`` [T] of the way.

        Weights of nominal attributes are mixed. Others move in position, so that at most two neighbouring classes
        share a frame. Circular ones take the shortest arc, or the upward one where both are equal.
        """
        if self.kind == "nominal":
            return start + t[:, None] * (end - start)
        first, last = self.read(np.stack([start, end])).position
        step = last - first
        if self.kind == "circular":
            half = self.classes / 2
            step = half - (half - step) % self.classes
        return self.weights_at(first + t * step)

    def _canonical_number(self, value: object) -> Value:
        number = finite_number(value)
        if number is None:
            raise self.error(value)
        if self.kind == "nominal":
            if number != int(number) or not 0 <= number < self.size:
                raise self.error(value)
            return self.labels[int(number)]
        if self.kind == "circular":
            number %= self.classes
            return number if number < self.classes else 0.0  # -1e-20 % 39 is 39.0
        low, high = self.extremes
        if not low <= number <= high:
            raise self.error(value)
        return number + 0.0  # -0.0 + 0.0 is 0.0

    def _canonical_list(self, value: Sequence[Any]) -> list[float]:
        if self.kind == "continuous" or len(value) != self.size:
            raise self.error(value)
        numbers = [finite_number(weight) for weight in value]
        weights = np.array([math.nan if number is None else number for number in numbers])
        if not (weights.min() >= 0 and weights.max() > 0):  # NaN fails too
            raise self.error(value)
        weights /= weights.max()  # first, so that a sum of huge weights can't overflow
        return list((weights / weights.sum()).tolist())
