"""From what a request says (attribute values, or z) to points in latent space."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes, AttributeValueError, Codebook, Float32, Value
from service.inference.model import Model
from service.problems import Problem, located

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Points:
    """Latent points [N, D], with the canonical attribute values that each was made of, if any."""

    z: Float32
    attributes: Sequence[Mapping[str, Value]] | None
    snapped: bool = False
    """Whether values between classes were asked of an attribute that can't be mixed."""


def points(model: Model, given: dict[str, Any] | list[Any], max_items: int) -> Points:
    """The points of one or several sets of attribute values; raises Problem 413 or 422."""
    if isinstance(given, dict):
        return _placed(model, [_canonical(model, given, "attributes")])
    _check_count(given, "attributes", max_items)
    return _placed(model, [_canonical(model, item, f"attributes[{index}]") for index, item in enumerate(given)])


def parsed_points(model: Model, given: Mapping[str, str]) -> Points:
    """The point of attribute values written as text; raises Problem 422."""
    with located("query"):
        values = {name: model.attributes.named(name).parse(text) for name, text in given.items()}
        return _placed(model, [model.attributes.canonical(values)])


def latent_points(model: Model, given: list[Any], max_items: int) -> Points:
    """The points [N, D] that are given as such, one or several; raises Problem 413 or 422."""
    length = model.manifest.latent_length
    if not given or not isinstance(given[0], list):
        return Points(_point(given, length, "z")[None], None)
    _check_count(given, "z", max_items)
    return Points(np.stack([_point(row, length, f"z[{index}]") for index, row in enumerate(given)]), None)


def _check_count(given: list[Any], where: str, max_items: int) -> None:
    if not given:
        raise Problem(422, f"{where}: an empty list; accepts one item or more", where=where)
    if len(given) > max_items:
        raise Problem(413, f"{where}: {len(given)} items; accepts at most {max_items}", where=where, limit=max_items)


def _canonical(model: Model, given: Any, where: str) -> dict[str, Value]:
    with located(where):
        if not isinstance(given, dict):
            raise AttributeValueError("attributes", given, "an object of attribute values")
        return model.attributes.canonical(given)


def _placed(model: Model, values: list[dict[str, Value]]) -> Points:
    weights = np.array([model.attributes.canonical_weights(item) for item in values])
    return Points(model.codebook.place(weights), values, is_snapped(model.codebook, weights))


def is_snapped(codebook: Codebook, weights: NDArray[Any], names: Container[str] | None = None) -> bool:
    """Whether weights [B, sum K] lie between classes of an attribute, one of ``names``, that can't be mixed."""
    asked = [name for name in codebook.snapped if names is None or name in names]
    return any(_mixed(codebook.attributes, name, weights) for name in asked)


def _mixed(attributes: Attributes, name: str, weights: NDArray[Any]) -> bool:
    folded = attributes.named(name).fold(weights[:, attributes.columns(name)])
    return bool((folded.max(axis=1) < 1 - 1e-6).any())


def _point(given: Any, length: int, where: str) -> Float32:
    accepted = f"{length} finite numbers"
    if not isinstance(given, list):
        raise Problem(422, f"{where}: accepts a list of {accepted}", where=where, accepted=accepted)
    if len(given) != length:
        got = f"{len(given)} items"
        raise Problem(422, f"{where}: got {got}; accepts {accepted}", where=where, got=got, accepted=accepted)
    point = np.empty(length, np.float32)
    for index, number in enumerate(given):
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= LARGEST:
            here, got = f"{where}[{index}]", repr(number)[:80]
            raise Problem(422, f"{here}: got {got}; accepts a finite float32", where=here, got=got)
        point[index] = number
    return point
