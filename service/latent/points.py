"""Latent points: from attribute values, or z, of a request to points in latent space."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes, AttributeValueError, Codebook, Float32, Value
from service.inference.model import Model
from service.problems import Problem, located, wrong_value

MAX_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class LatentPoints:
    """Latent points [N, D], with the canonical attribute values that each was made of, if it was."""

    z: Float32
    attributes: Sequence[Mapping[str, Value]] | None
    rounded: bool = False
    """Whether a value between two classes was rounded to one, as its attribute can't be mixed."""


def points_of_attributes(model: Model, given: dict[str, Any] | list[Any], max_items: int) -> LatentPoints:
    """The points [N, D] of one or several sets of attribute values; raises Problem 413 or 422."""
    if isinstance(given, dict):
        return _from_attributes(model, [_canonical(model, given, "attributes")])
    _check_count(given, "attributes", max_items)
    values = [_canonical(model, item, f"attributes[{index}]") for index, item in enumerate(given)]
    return _from_attributes(model, values)


def points_of_query(model: Model, given: Mapping[str, str]) -> LatentPoints:
    """The point [1, D] of attribute values written as text; raises Problem 422."""
    with located("query"):
        values = {name: model.attributes.named(name).parse(text) for name, text in given.items()}
        return _from_attributes(model, [model.attributes.canonical(values)])


def points_of_z(model: Model, given: list[Any], max_items: int) -> LatentPoints:
    """The points [N, D] of one or several z; raises Problem 413 or 422."""
    length = model.manifest.latent_length
    if not given or not isinstance(given[0], list):
        return LatentPoints(_vector(given, length, "z")[None], None)
    _check_count(given, "z", max_items)
    return LatentPoints(np.stack([_vector(row, length, f"z[{index}]") for index, row in enumerate(given)]), None)


def _check_count(given: list[Any], where: str, max_items: int) -> None:
    if not given:
        raise Problem(422, f"{where}: an empty list; accepts one item or more", where=where)
    if len(given) > max_items:
        raise Problem(413, f"{where}: {len(given)} items; accepts at most {max_items}", where=where, limit=max_items)


def _canonical(model: Model, given: Any, where: str) -> dict[str, Value]:
    try:  # not with located, which takes as long as all the rest
        if not isinstance(given, dict):
            raise AttributeValueError("attributes", given, "an object of attribute values")
        return model.attributes.canonical(given)
    except AttributeValueError as error:
        raise wrong_value(error, where) from None


def _from_attributes(model: Model, values: list[dict[str, Value]]) -> LatentPoints:
    weights = model.attributes.batch_of_weights(values)  # [N, sum K]
    return LatentPoints(model.codebook.place(weights), values, is_rounded(model.codebook, weights))


def is_rounded(codebook: Codebook, weights: NDArray[Any], names: Container[str] | None = None) -> bool:
    """Whether weights [B, sum K] lie between classes of an attribute of ``names`` that can't be mixed."""
    unmixable = codebook.snapped
    return bool(unmixable) and any(
        _is_mixed(codebook.attributes, name, weights) for name in unmixable if names is None or name in names
    )


def _is_mixed(attributes: Attributes, name: str, weights: NDArray[Any]) -> bool:
    folded = attributes.named(name).fold(weights[:, attributes.columns(name)])
    return bool((folded.max(axis=1) < 1 - 1e-6).any())


def _vector(given: Any, length: int, where: str) -> Float32:
    accepted = f"{length} finite numbers"
    if not isinstance(given, list):
        raise Problem(422, f"{where}: accepts a list of {accepted}", where=where, accepted=accepted)
    if len(given) != length:
        got = f"{len(given)} items"
        raise Problem(422, f"{where}: got {got}; accepts {accepted}", where=where, got=got, accepted=accepted)
    point = np.empty(length, np.float32)
    for index, number in enumerate(given):
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= MAX_FLOAT32:
            here, got = f"{where}[{index}]", repr(number)[:80]
            raise Problem(422, f"{here}: got {got}; accepts a finite float32", where=here, got=got)
        point[index] = number
    return point
