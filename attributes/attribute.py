"""The vocabulary of the whole project: named attributes, their values and their weights.

An attribute value has three forms, and every translation between them lives here:

* a *value*, as people write it: a position on the attribute's axis (fractions allowed where classes have an order),
  a label, explicit weights, or an object that holds one of these under ``value``;
* *weights* over the attribute's classes, [K]: an index is one-hot, 2.5 is half class 2 and half class 3;
  a continuous attribute is its own single weight;
* a *reading*: what a distribution over classes says, as position, index and confidence.

numpy only: training, export and service all import this module.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kind = Literal["nominal", "ordinal", "circular", "continuous"]
KINDS: tuple[Kind, ...] = ("nominal", "ordinal", "circular", "continuous")
MAX_CLASSES = 1024
RESERVED = ("columns", "image", "model", "z")

Value = float | str | list[float]
Floats = NDArray[np.floating[Any]]


class AttributeValueError(ValueError):
    """A value that an attribute does not accept: says which attribute, what it got and what it accepts."""

    def __init__(self, attribute: str, got: object, accepted: str) -> None:
        shown = repr(got)
        self.attribute = attribute
        self.got = shown if len(shown) <= 80 else shown[:77] + "..."
        self.accepted = accepted
        super().__init__(f"{attribute}: got {self.got}; accepts {accepted}")


@dataclass(frozen=True)
class Reading:
    """What weights say about one attribute, for a batch: each field is [B]; about several, [B, A]."""

    position: Floats
    """Place on the axis: the most probable class, refined by its neighbours; a continuous attribute's value."""
    index: NDArray[np.intp]
    """The most probable class; 0 for a continuous attribute."""
    confidence: Floats
    """Probability of that class; 1 for a continuous attribute."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One named attribute.

    ``size`` is its number of classes (1 if continuous). ``period`` (circular only) is in index units: classes at or
    past it are aliases, the same value as the class one period below. ``range`` holds the values in ``unit`` of the
    first and the last class, or the usual extent of a continuous attribute, whose ``limits`` say what is accepted: the
    range, unless they are wider. ``default`` is a label for a nominal attribute, else a position or value. Raises
    ValueError on fields that contradict each other.
    """

    name: str
    kind: Kind
    size: int = 1
    labels: tuple[str, ...] = ()
    period: int | None = None
    unit: str = ""
    range: tuple[float, float] | None = None
    limits: tuple[float, float] | None = None
    default: float | str = 0.0

    def __post_init__(self) -> None:
        def fail(what: str) -> None:
            raise ValueError(f"attribute {self.name!r}: {what}")

        if not self.name.isidentifier():
            fail("a name must be letters, digits and underscores, and not begin with a digit")
        if self.name in RESERVED:
            fail(f"the names {', '.join(RESERVED)} mean other things where values are given by name")
        if self.kind not in KINDS:
            fail(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        fewest = {"continuous": 1, "nominal": 1, "ordinal": 2, "circular": 3}.get(self.kind, 1)
        if not fewest <= self.size <= (1 if self.kind == "continuous" else MAX_CLASSES):
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
    def classes(self) -> int:
        """How many classes differ: the size without a circular attribute's aliases."""
        return self.period or self.size

    @property
    def accepted(self) -> str:
        """In words, what ``weights`` accepts."""
        listed = f"a list of {self.size} weights >= 0, not all 0"
        if self.kind == "nominal":
            return f"{', '.join(map(repr, self.labels))}, a whole number from 0 to {self.size - 1}, or {listed}"
        if self.kind == "ordinal":
            return f"a number from 0 to {self.size - 1}, or {listed}"
        if self.kind == "circular":
            return f"any finite number (taken modulo {self.period}), or {listed}"
        return "a number from {:.15g} to {:.15g}".format(*self.extremes)

    def refuse(self, got: object) -> AttributeValueError:
        """The error for a value that this attribute does not accept."""
        return AttributeValueError(self.name, got, self.accepted)

    def canonical(self, value: Any) -> Value:
        """The one form of a value: a label, a position or value as float, or weights that sum to 1.

        Raises AttributeValueError if the attribute does not accept it.
        """
        if type(value) is float or type(value) is int:  # first, as most are
            return self._canonical_number(value)
        if isinstance(value, Mapping):
            if "value" not in value or isinstance(value["value"], Mapping):
                raise self.refuse(dict(value))
            return self.canonical(value["value"])
        if isinstance(value, str):
            if value in self.labels:
                return value
            raise self.refuse(value)
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, Sequence):
            return self._canonical_list(value)
        return self._canonical_number(value)

    def parse(self, text: str) -> Value:
        """The canonical form of a value written as text: a label, a number, or weights with commas between them."""
        if text in self.labels:
            return text
        try:
            if "_" in text or not text.isascii():  # Python's numbers, not people's
                raise ValueError
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            raise self.refuse(text) from None
        return self.canonical(numbers if len(numbers) > 1 else numbers[0])

    def weights(self, value: Any) -> Floats:
        """Weights [K] of one value in any accepted form; raises AttributeValueError otherwise."""
        weights = np.zeros(self.size)
        self._fill(weights, self.canonical(value))
        return weights

    def _fill(self, weights: Floats, value: Value) -> None:
        """Write those of a canonical value into weights [K], which are zeros."""
        if isinstance(value, list):
            weights[:] = self.fold(np.array(value))
        elif isinstance(value, str):
            weights[self.labels.index(value)] = 1
        elif self.kind == "continuous":
            weights[0] = value
        else:
            floor = int(value)
            weights[floor] = 1 - (value - floor)
            if value > floor:
                weights[(floor + 1) % self.classes] = value - floor

    def weights_at(self, positions: ArrayLike) -> Floats:
        """Weights [B, K] of valid positions [B] (values of a continuous attribute): at most two neighbours share."""
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
        """Weights [..., K] with what lies on aliases moved to the classes they stand for."""
        if self.classes == self.size:
            return weights
        folded = np.zeros_like(weights)
        for start in range(0, self.size, self.classes):
            turn = weights[..., start : start + self.classes]
            folded[..., : turn.shape[-1]] += turn
        return folded

    def read(self, weights: Floats) -> Reading:
        """The reading of weights [B, K]; a continuous value is clipped to the attribute's limits."""
        reading = self._reader.read(weights)
        return Reading(reading.position[:, 0], reading.index[:, 0], reading.confidence[:, 0])

    @cached_property
    def _reader(self) -> _Reader:
        return _Reader([self])

    def value(self, position: float) -> Value:
        """A reading's position as a value that ``weights`` accepts: a label if nominal, else the number."""
        return self.labels[int(position)] if self.kind == "nominal" else float(position)

    def in_unit(self, position: ArrayLike) -> Floats:
        """Positions as values in ``unit``."""
        low, span, steps = self._scale
        values: Floats = low + span * np.asarray(position, np.float64) / steps
        return values

    @property
    def _scale(self) -> tuple[float, float, int]:
        """The value in ``unit`` of position 0, and how much is added in how many steps from there."""
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
        """Weights [T, K] on the way from weights ``start`` [K] to ``end`` [K] at fractions ``t`` [T] of it.

        Nominal attributes mix weights. All others move in position, circular ones along the shortest arc
        (upwards where both arcs are equal), so that at most two neighbouring classes share a frame.
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
        number = value if type(value) is float and math.isfinite(value) else self._number(value, value)
        if self.kind == "nominal":
            if number != int(number) or not 0 <= number < self.size:
                raise self.refuse(value)
            return self.labels[int(number)]
        if self.kind == "circular":
            number %= self.classes
            return number if number < self.classes else 0.0  # -1e-20 % 39 is 39.0
        low, high = self.extremes
        if not low <= number <= high:
            raise self.refuse(value)
        return number + 0.0  # -0.0 is 0.0

    def _canonical_list(self, value: Sequence[Any]) -> list[float]:
        if self.kind == "continuous" or len(value) != self.size:
            raise self.refuse(value)
        weights = np.array([self._number(weight, value) for weight in value])
        if weights.min() < 0 or weights.max() <= 0:
            raise self.refuse(value)
        weights /= weights.max()  # first, so that a sum of huge weights can't overflow
        return list((weights / weights.sum()).tolist())

    def _number(self, value: object, shown: object) -> float:
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise self.refuse(shown)
        try:
            number = float(value)
        except OverflowError:
            raise self.refuse(shown) from None
        if not math.isfinite(number):
            raise self.refuse(shown)
        return number


class _Reader:
    """Reads several attributes at once, as calls of numpy take longer than what they do for few images."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        ends = [*itertools.accumulate(attribute.size for attribute in attributes)]
        self._total = ends[-1]
        self._starts = np.array([end - a.size for a, end in zip(attributes, ends, strict=True)])
        self._own = [slice(start, start + a.classes) for a, start in zip(attributes, self._starts, strict=True)]
        self._aliased = [
            (a, slice(start, start + a.size))
            for a, start in zip(attributes, self._starts, strict=True)
            if a.classes < a.size
        ]
        self._classes = np.array([a.classes if a.kind == "circular" else np.inf for a in attributes])
        self._neighbours = np.full((2, self._total), self._total)
        """The class before and after each one, as a column; one more column, of zeros, is where there is none."""
        for attribute, start in zip(attributes, self._starts, strict=True):
            classes = np.arange(attribute.classes)
            for neighbours, step in zip(self._neighbours, (-1, 1), strict=True):
                beside = (classes + step) % attribute.classes
                there = attribute.kind == "circular" or (attribute.kind == "ordinal") & (beside == classes + step)
                neighbours[start + classes] = np.where(there, start + beside, self._total)
        self._continuous = [i for i, attribute in enumerate(attributes) if attribute.kind == "continuous"]
        self._extremes = np.array([attributes[i].extremes for i in self._continuous]).T

    def read(self, weights: Floats) -> Reading:
        """What weights [B, sum K] say, [B, A]."""
        # In float32 a value clipped to a bound may lie beyond it.
        extended = np.zeros((len(weights), self._total + 1))
        extended[:, :-1] = weights
        if self._continuous:
            values = extended[:, self._starts[self._continuous]]
            extended[:, self._starts[self._continuous]] = 1
        for attribute, columns in self._aliased:
            extended[:, columns] = attribute.fold(extended[:, columns])
        index = np.empty((len(weights), len(self._own)), np.intp)
        for row, own in zip(index.T, self._own, strict=True):
            extended[:, own].argmax(axis=1, out=row)
        column = index + self._starts
        rows = np.arange(len(weights))[:, None]
        peak = extended[rows, column]
        before, after = extended[rows, self._neighbours[:, column]]
        near = before + peak + after
        position = index + np.divide(after - before, near, out=np.zeros_like(near), where=near != 0)
        position = self.around(position)
        if self._continuous:
            position[:, self._continuous] = values.clip(*self._extremes)
        return Reading(position, index, peak)

    def around(self, positions: Floats) -> Floats:
        """Positions [B, A] with those of circular attributes within a turn."""
        positions = positions % self._classes
        positions[positions == self._classes] = 0  # -1e-20 % 39 is 39.0
        return positions


class Attributes(Sequence[Attribute]):
    """The attributes of a model or data set, in the order of their weights: sum K numbers, one block each."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._attributes = tuple(attributes)
        self._by_name = {attribute.name: attribute for attribute in self._attributes}
        if not self._attributes or len(self._by_name) != len(self._attributes):
            raise ValueError(f"attributes need different names, at least one; got {[a.name for a in attributes]}")
        ends = np.cumsum([attribute.size for attribute in self._attributes]).tolist()
        self._slices = {a.name: slice(end - a.size, end) for a, end in zip(self._attributes, ends, strict=True)}
        self.total: int = ends[-1]
        """sum K: the length of all weights together."""
        self._reader = _Reader(self._attributes)
        self._lows, self._spans, self._steps = np.array([a._scale for a in self._attributes]).T
        self._continuous = np.array([a.kind == "continuous" for a in self._attributes])

    def __len__(self) -> int:
        return len(self._attributes)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes)

    def __getitem__(self, key: Any) -> Any:
        return self.named(key) if isinstance(key, str) else self._attributes[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash(self._attributes)

    def named(self, name: str) -> Attribute:
        """The attribute of that name; raises AttributeValueError that lists the known ones."""
        if name not in self._by_name:
            raise AttributeValueError("attributes", name, f"the names {', '.join(self._by_name)}")
        return self._by_name[name]

    def discrete(self, name: str = "") -> Attribute:
        """The discrete attribute of that name, by default the first; raises AttributeValueError where there is none."""
        listed = [attribute for attribute in self if attribute.kind != "continuous"]
        chosen = next((attribute for attribute in listed if name in ("", attribute.name)), None)
        if chosen is None:
            names = ", ".join(attribute.name for attribute in listed)
            raise AttributeValueError("attributes", name, f"a discrete one: {names or 'of which there is none'}")
        return chosen

    def columns(self, name: str) -> slice:
        """Where the attribute's weights lie among all of them."""
        return self._slices[name]

    def canonical(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """The canonical form of every attribute's value, in order; missing ones take their default.

        Raises AttributeValueError for an unknown name or a value that is not accepted.
        """
        if not values.keys() <= self._by_name.keys():
            for name in values:
                self.named(name)
        return {a.name: a.canonical(values[a.name]) if a.name in values else a.default for a in self._attributes}

    def weights(self, values: Mapping[str, Any]) -> Floats:
        """All weights [sum K] of one set of values; missing ones take their default."""
        return self.canonical_weights(self.canonical(values))

    def canonical_weights(self, values: Mapping[str, Value]) -> Floats:
        """All weights [sum K] of what ``canonical`` gave."""
        weights = np.zeros(self.total)
        for attribute in self._attributes:
            attribute._fill(weights[self._slices[attribute.name]], values[attribute.name])
        return weights

    def weights_at(self, positions: Floats) -> Floats:
        """Weights [B, sum K] of valid positions [B, A], one column for each attribute."""
        return np.concatenate([a.weights_at(positions[:, i]) for i, a in enumerate(self)], axis=1)

    def read(self, weights: Floats) -> Reading:
        """The readings of all attributes of weights [B, sum K]: [B, A]."""
        return self._reader.read(weights)

    def in_unit(self, positions: Floats) -> Floats:
        """Positions [B, A] as values in the unit of each attribute."""
        values: Floats = self._lows + self._spans * positions / self._steps
        return values

    def rounded(self, positions: Floats, digits: int) -> Floats:
        """Positions [B, A] with so many digits; the values of continuous attributes stay as they are."""
        rounded = self._reader.around(positions.round(digits))
        return np.where(self._continuous, positions, rounded)


def attributes_of(fields: Sequence[Mapping[str, Any]]) -> Attributes:
    """Attributes from their fields as JSON keeps them; raises TypeError or ValueError for what is none."""

    def one(given: Mapping[str, Any]) -> Attribute:
        tuples = {key: tuple(value) for key, value in given.items() if isinstance(value, list | tuple)}
        return Attribute(**{**given, **tuples})

    return Attributes([one(each) for each in fields])
