"""The vocabulary of the whole project: attributes, and where they sit in latent space. numpy only.

training, export and service all import this package, and it imports none of them.
"""

from attributes.attributes import (
    KINDS,
    Attribute,
    Attributes,
    AttributeValueError,
    Floats,
    Kind,
    Reading,
    Value,
    attributes_of,
)
from attributes.codebook import Codebook, Float32, Group, Mixing, Part, product_of_gaussians
from attributes.interpolation import KeyFrame, between, of_image, walk
from attributes.novelty import unlikeness

__all__ = [
    "KINDS",
    "Attribute",
    "AttributeValueError",
    "Attributes",
    "Codebook",
    "Float32",
    "Floats",
    "Group",
    "KeyFrame",
    "Kind",
    "Mixing",
    "Part",
    "Reading",
    "Value",
    "attributes_of",
    "between",
    "of_image",
    "product_of_gaussians",
    "unlikeness",
    "walk",
]
