"""The attributes of a model or a data set, in the order of their weights. numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from attributes.attribute import Attribute
from attributes.readings import Reader, Reading
from attributes.values import AttributeValueError, Floats, Value


class Attributes(Sequence[Attribute]):
    """The attributes of a model or a data set. Their weights lie side by side, in order: sum K numbers.

    Raises ValueError if there is none, or if two have the same name.
    """

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._attributes = tuple(attributes)
        self._by_name = {attribute.name: attribute for attribute in self._attributes}
        if not self._attributes or len(self._by_name) != len(self._attributes):
            raise ValueError(f"attributes need different names, at least one; got {[a.name for a in attributes]}")
        ends = np.cumsum([attribute.size for attribute in self._attributes]).tolist()
        self._slices = {a.name: slice(end - a.size, end) for a, end in zip(self._attributes, ends, strict=True)}
        self.total: int = ends[-1]  # sum K
        # Each attribute, its name, and the first column of its weights: as ``canonical_weights`` needs them.
        self._starts = [(a, a.name, end - a.size) for a, end in zip(self._attributes, ends, strict=True)]
        self._reader = Reader(self._attributes)
        self._lows, self._spans, self._steps = np.array([a.unit_scale for a in self._attributes]).T
        self._continuous = np.array([a.kind == "continuous" for a in self._attributes])
        self._any_continuous = bool(self._continuous.any())

    def __len__(self) -> int:
        return len(self._attributes)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes)

    @overload
    def __getitem__(self, key: int | str) -> Attribute: ...

    @overload
    def __getitem__(self, key: slice) -> Sequence[Attribute]: ...

    def __getitem__(self, key: int | str | slice) -> Attribute | Sequence[Attribute]:
        return self.named(key) if isinstance(key, str) else self._attributes[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash(self._attributes)

    def named(self, name: str) -> Attribute:
        """The attribute of a name. Raises AttributeValueError that lists the known names."""
        if name not in self._by_name:
            raise AttributeValueError("attributes", name, f"the names {', '.join(self._by_name)}")
        return self._by_name[name]

    def discrete(self, name: str = "") -> Attribute:
        """The discrete attribute of a name, by default the first one. Raises AttributeValueError if there is none."""
        listed = [attribute for attribute in self if attribute.kind != "continuous"]
        chosen = next((attribute for attribute in listed if name in ("", attribute.name)), None)
        if chosen is None:
            names = ", ".join(attribute.name for attribute in listed)
            raise AttributeValueError("attributes", name, f"a discrete one: {names or 'of which there is none'}")
        return chosen

    def columns(self, name: str) -> slice:
        """The columns of the attribute's weights among all weights."""
        return self._slices[name]

    def canonical(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """The canonical form of every attribute's value, in order. Missing ones take their default.

        Raises AttributeValueError for an unknown name or a value that is not accepted.
        """
        if not values.keys() <= self._by_name.keys():
            for name in values:
                self.named(name)
        return {
            name: attribute.canonical(values[name]) if name in values else attribute.default
            for name, attribute in self._by_name.items()
        }

    def weights(self, values: Mapping[str, Any]) -> Floats:
        """All weights [sum K] of one set of values. Missing ones take their default. Raises AttributeValueError."""
        return self.canonical_weights(self.canonical(values))

    def canonical_weights(self, values: Mapping[str, Value]) -> Floats:
        """All weights [sum K] of canonical values, as ``canonical`` gives them."""
        weights: Floats = self.batch_of_weights([values])[0]
        return weights

    def batch_of_weights(self, items: Sequence[Mapping[str, Value]]) -> Floats:
        """Weights [B, sum K] of several sets of canonical values."""
        weights = np.zeros((len(items), self.total))
        for row, values in zip(weights, items, strict=True):
            for attribute, name, start in self._starts:
                attribute.fill(row, start, values[name])
        return weights

    def weights_at(self, positions: Floats) -> Floats:
        """Weights [B, sum K] of accepted positions [B, A]."""
        return np.concatenate([a.weights_at(positions[:, i]) for i, a in enumerate(self)], axis=1)

    def read(self, weights: Floats) -> Reading:
        """The reading [B, A] of all attributes of weights [B, sum K]."""
        return self._reader.read(weights)

    def in_unit(self, positions: Floats) -> Floats:
        """Positions [B, A] as values in the unit of each attribute."""
        values: Floats = self._lows + self._spans * positions / self._steps
        return values

    def rounded(self, positions: Floats, digits: int) -> Floats:
        """Positions [B, A] rounded to ``digits``. Values of continuous attributes stay as they are."""
        rounded = self._reader.within_turn(positions.round(digits))
        return np.where(self._continuous, positions, rounded) if self._any_continuous else rounded


def attributes_of(fields: Sequence[Mapping[str, Any]]) -> Attributes:
    """Attributes from their fields as JSON keeps them. Raises TypeError or ValueError on fields of no attribute."""

    def one(given: Mapping[str, Any]) -> Attribute:
        tuples = {key: tuple(value) for key, value in given.items() if isinstance(value, list | tuple)}
        return Attribute(**{**given, **tuples})

    return Attributes([one(each) for each in fields])
