"""Attributes, their values and weights, and the map from weights to latent space. numpy only.

training, export and service all import this package, and it imports none of them.
"""

from attributes.attribute import KINDS, Attribute, Kind
from attributes.attributes import Attributes, attributes_of
from attributes.codebook import Codebook, Float32, Group, Mixing, Part, product_of_gaussians
from attributes.images import CHANNEL_MODES, MAX_SIDE, MIN_SIDE
from attributes.interpolation import (
    EASINGS,
    Easing,
    Frames,
    KeyFrame,
    frame_count,
    interpolate,
    key_frame_of_image,
    key_frame_of_values,
)
from attributes.novelty import is_unfamiliar, reconstruction_error
from attributes.readings import Reading
from attributes.values import AttributeValueError, Floats, Value

__all__ = [
    "CHANNEL_MODES",
    "EASINGS",
    "KINDS",
    "MAX_SIDE",
    "MIN_SIDE",
    "Attribute",
    "AttributeValueError",
    "Attributes",
    "Codebook",
    "Easing",
    "Float32",
    "Floats",
    "Frames",
    "Group",
    "KeyFrame",
    "Kind",
    "Mixing",
    "Part",
    "Reading",
    "Value",
    "attributes_of",
    "frame_count",
    "interpolate",
    "is_unfamiliar",
    "key_frame_of_image",
    "key_frame_of_values",
    "product_of_gaussians",
    "reconstruction_error",
]
