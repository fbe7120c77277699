"""Editing: an image with some attributes changed, and all that they don't tell kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import Problem, located
from service.runtime import Model
from service.values import Points, is_snapped
from service.walk import of_image
from training.attributes import Attribute, AttributeValueError, Value
from training.codebook import Float32


def edited(model: Model, outputs: Mapping[str, Float32], to: Mapping[str, Any], by: Mapping[str, Any]) -> Points:
    """The point of one encoded image [1, ...] with attributes set ``to`` values and moved ``by`` steps on their axes.

    z' = z + (w_new - w_old) @ codebook, with the image's positions as w_old, so that what is not changed stays to the
    last bit, and setting a value that /encode gave changes nothing. Raises Problem 422.
    """
    attributes, codebook = model.attributes, model.codebook
    if both := sorted(to.keys() & by.keys()):
        raise Problem(422, f"{both[0]}: is both set and added to; accepts one of them", where=both[0])
    before = of_image(codebook, outputs["z"][0], outputs["weights"][0]).weights[None]
    readings = attributes.read(before)
    values: dict[str, Value] = {a.name: a.value(float(readings[a.name].position[0])) for a in attributes}
    with located("set"):
        values |= {name: attributes.named(name).canonical(value) for name, value in to.items()}
    with located("add"):
        values |= {name: _moved(attributes.named(name), values.get(name), step) for name, step in by.items()}
    after = before.copy()
    for name in (*to, *by):
        after[:, attributes.columns(name)] = attributes.named(name).weights(values[name])
    return Points(codebook.edit(outputs["z"], before, after), [values], is_snapped(codebook, after))


def _moved(attribute: Attribute, value: Value | None, step: Any) -> Value:
    if attribute.kind == "nominal":
        raise AttributeValueError(attribute.name, step, "no steps, as its labels have no order; set it instead")
    if isinstance(step, bool) or not isinstance(step, int | float) or not isinstance(value, int | float):
        raise AttributeValueError(attribute.name, step, "a finite number of steps along its axis")
    return attribute.canonical(value + step)
