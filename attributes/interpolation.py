"""Interpolation in latent space: along each attribute's axis, and straight in what attributes don't tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes.attribute import Attribute
from attributes.attributes import Attributes
from attributes.codebook import Codebook, Float32
from attributes.values import Floats

Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out"]
# From the share of a segment's time that has passed to the share of its way, both in 0..1.
EASINGS: dict[Easing, Callable[[Floats], Floats]] = {
    "linear": lambda t: t,
    "ease-in": lambda t: t**2,
    "ease-out": lambda t: t * (2 - t),
    "ease-in-out": lambda t: t**2 * (3 - 2 * t),
}


@dataclass(frozen=True)
class KeyFrame:
    """Attribute weights [sum K], and the remainder [D]: the part of an image's z that they don't tell."""

    weights: Floats
    remainder: Floats


class Frames(NamedTuple):
    """The frames of an interpolation."""

    z: Float32
    """[T, D]."""
    weights: Floats
    """[T, sum K]."""


def key_frame_of_image(codebook: Codebook, z: NDArray[Any], weights: NDArray[Any]) -> KeyFrame:
    """The key frame of an image with the encoder's z [D] and weights [sum K].

    Its weights are those of the positions that are read from the encoder's weights.
    """
    positions = codebook.attributes.weights_at(codebook.attributes.read(weights[None]).position)
    return KeyFrame(positions[0], z - codebook.place(positions)[0])


def key_frame_of_values(codebook: Codebook, values: Mapping[str, Any]) -> KeyFrame:
    """The key frame of attribute values, without a remainder. Raises AttributeValueError."""
    attributes = codebook.attributes
    weights = attributes.weights(values)
    on_axes = [_on_axis(attribute, weights[attributes.columns(attribute.name)]) for attribute in attributes]
    return KeyFrame(np.concatenate(on_axes), np.zeros(codebook.length))


def _on_axis(attribute: Attribute, weights: Floats) -> Floats:
    """Weights [K] as those of one position on the axis. Weights of a nominal attribute, which has none, stay."""
    return weights if attribute.kind == "nominal" else attribute.weights_at(attribute.read(weights[None]).position)[0]


def frame_count(key_frames: int, steps: int, loop: bool) -> int:
    """The number of frames: segments share their ends, and a loop does not repeat its first frame."""
    return key_frames * (steps - 1) if loop else (key_frames - 1) * (steps - 1) + 1


def interpolate(
    codebook: Codebook, key_frames: Sequence[KeyFrame], steps: int, loop: bool = False, easing: Easing = "linear"
) -> Frames:
    """Frames from key frame to key frame, ``steps`` in each segment with both ends; a loop returns to the first.

    Each attribute moves as ``Attribute.between`` describes, the remainder linearly.
    """
    stops = [*key_frames, key_frames[0]] if loop else list(key_frames)
    t = EASINGS[easing](np.linspace(0, 1, steps))[1:]
    weights, remainder = [stops[0].weights[None]], [stops[0].remainder[None]]
    for start, end in pairwise(stops):
        weights.append(_between(codebook.attributes, start.weights, end.weights, t))
        remainder.append(start.remainder + t[:, None] * (end.remainder - start.remainder))
    count = frame_count(len(key_frames), steps, loop)
    all_weights = np.concatenate(weights)[:count]  # [T, sum K]
    z = codebook.place(all_weights) + np.concatenate(remainder)[:count]  # [T, D]
    return Frames(z.astype(np.float32), all_weights)


def _between(attributes: Attributes, start: Floats, end: Floats, t: Floats) -> Floats:
    """Weights [T, sum K] between weights ``start`` and ``end`` [sum K], at fractions ``t`` [T] of the way."""
    columns = [(attribute, attributes.columns(attribute.name)) for attribute in attributes]
    return np.concatenate([attribute.between(start[c], end[c], t) for attribute, c in columns], axis=1)
