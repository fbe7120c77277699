"""Interpolation: a walk through latent space from key frame to key frame, along each attribute's axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from attributes import Attribute, Attributes, Codebook, Floats, KeyFrame, Value, between
from service.latent.points import LatentPoints, is_rounded

Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out"]
EASINGS: dict[Easing, Callable[[Floats], Floats]] = {
    "linear": lambda t: t,
    "ease-in": lambda t: t**2,
    "ease-out": lambda t: t * (2 - t),
    "ease-in-out": lambda t: t**2 * (3 - 2 * t),
}


def of_values(codebook: Codebook, values: dict[str, Any]) -> KeyFrame:
    """The key frame of attribute values; raises AttributeValueError."""
    weights = codebook.attributes.weights(values)
    return KeyFrame(_on_axes(codebook.attributes, weights), np.zeros(len(codebook.offset)))


def _on_axes(attributes: Attributes, weights: Floats) -> Floats:
    """Weights [sum K] with explicit ones of an attribute that has an order replaced by the position they say."""

    def one(attribute: Attribute) -> Floats:
        own = weights[attributes.columns(attribute.name)]
        return own if attribute.kind == "nominal" else attribute.weights_at(attribute.read(own[None]).position)[0]

    return np.concatenate([one(attribute) for attribute in attributes])


def frame_count(keyframes: int, steps: int, loop: bool) -> int:
    """Frames of a walk: segments share their ends, and a loop does not repeat its first frame."""
    return keyframes * (steps - 1) if loop else (keyframes - 1) * (steps - 1) + 1


def walk(codebook: Codebook, keyframes: Sequence[KeyFrame], steps: int, loop: bool, easing: Easing) -> LatentPoints:
    """The points [T, D] of a walk, with the attribute values of each frame."""
    stops = [*keyframes, keyframes[0]] if loop else list(keyframes)
    t = EASINGS[easing](np.linspace(0, 1, steps))
    weights, remainder = [stops[0].weights[None]], [stops[0].remainder[None]]
    for start, end in pairwise(stops):
        weights.append(between(codebook.attributes, start.weights, end.weights, t[1:]))
        remainder.append(start.remainder + t[1:, None] * (end.remainder - start.remainder))
    count = frame_count(len(keyframes), steps, loop)
    all_weights = np.concatenate(weights)[:count]
    z = codebook.place(all_weights) + np.concatenate(remainder)[:count]
    rounded = is_rounded(codebook, all_weights)
    return LatentPoints(z.astype(np.float32), _values(codebook.attributes, all_weights), rounded)


def _values(attributes: Attributes, weights: Floats) -> list[dict[str, Value]]:
    return [{a.name: _value(a, row[attributes.columns(a.name)]) for a in attributes} for row in weights]


def _value(attribute: Attribute, weights: Floats) -> Value:
    """Weights [K] of one frame as a value: explicit ones where a nominal attribute is between two labels."""
    if attribute.kind == "nominal" and weights.max() < 1:
        return [float(weight) for weight in weights]
    return attribute.value(float(attribute.read(weights[None]).position[0]))
