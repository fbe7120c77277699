"""The latent points of an interpolation, with the attribute values of each frame."""

from __future__ import annotations

from collections.abc import Sequence

from attributes import Attribute, Attributes, Codebook, Easing, Floats, KeyFrame, Value, interpolate
from service.latent.points import LatentPoints, is_rounded


def interpolated_points(
    codebook: Codebook, key_frames: Sequence[KeyFrame], steps: int, loop: bool, easing: Easing
) -> LatentPoints:
    """The points [T, D] from key frame to key frame, with the attribute values of each frame."""
    frames = interpolate(codebook, key_frames, steps, loop, easing)
    return LatentPoints(frames.z, _values(codebook.attributes, frames.weights), is_rounded(codebook, frames.weights))


def _values(attributes: Attributes, weights: Floats) -> list[dict[str, Value]]:
    return [{a.name: _value(a, row[attributes.columns(a.name)]) for a in attributes} for row in weights]


def _value(attribute: Attribute, weights: Floats) -> Value:
    """Weights [K] of one frame as a value: explicit weights where a nominal attribute lies between two labels."""
    if attribute.kind == "nominal" and weights.max() < 1:
        return [float(weight) for weight in weights]
    return attribute.value(float(attribute.read(weights[None]).position[0]))
