"""Editing: some attributes of an image change, and everything that attributes do not describe stays."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from attributes import Attribute, AttributeValueError, Float32, Value
from service.inference.model import Model
from service.latent.points import LatentPoints, is_rounded
from service.problems import Problem, located


def edited(model: Model, outputs: Mapping[str, Float32], to: Mapping[str, Any], by: Mapping[str, Any]) -> LatentPoints:
    """The point [1, D] of one encoded image with attributes set ``to`` values and moved ``by`` steps on their axes.

    z' = z + (w_new - w_old) @ codebook over the changed attributes, where w_old are the encoder's weights. Dimensions
    of other attributes keep every bit; a changed attribute is certain afterwards. Raises Problem 422.
    """
    attributes, codebook = model.attributes, model.codebook
    if both := sorted(to.keys() & by.keys()):
        raise Problem(422, f"set.{both[0]}: is in add, too; accepts one of them", where=f"set.{both[0]}")
    reading = attributes.read(outputs["weights"])
    found = {a.name: (float(reading.position[0, i]), int(reading.index[0, i])) for i, a in enumerate(attributes)}
    values: dict[str, Value] = {a.name: a.value(found[a.name][0]) for a in attributes}
    with located("set"):
        values |= {name: attributes.named(name).canonical(value) for name, value in to.items()}
    with located("add"):
        values |= {name: _moved(attributes.named(name), *found[name], step) for name, step in by.items()}
    before = outputs["weights"].astype(float)
    after = before.copy()
    changed = [*to, *by]
    for name in changed:
        after[:, attributes.columns(name)] = attributes.named(name).weights(values[name])
    return LatentPoints(codebook.edit(outputs["z"], before, after), [values], is_rounded(codebook, after, changed))


def _moved(attribute: Attribute, position: float, index: int, step: Any) -> Value:
    """Where a step leads from an image's position and class; raises AttributeValueError if that is off the axis."""
    if attribute.kind == "nominal":
        raise AttributeValueError(attribute.name, step, "no steps, as its labels have no order; set it instead")
    if isinstance(step, bool) or not isinstance(step, int | float) or not abs(step) <= sys.float_info.max:
        raise AttributeValueError(attribute.name, step, "a finite number of steps along its axis")
    end = position + step
    if attribute.kind == "circular":
        return attribute.canonical(end)
    low, high = attribute.extremes
    # Class 4 may be read as 4.001: a step of 1 still leads to class 5 where that is the last one.
    if attribute.kind == "ordinal" and low <= index + step <= high:
        end = min(max(end, low), high)
    if not low <= end <= high:
        accepted = f"steps that end within {low:.15g} to {high:.15g}; this one ends at {round(end, 4):.15g}"
        raise AttributeValueError(attribute.name, step, accepted)
    return attribute.canonical(end)
