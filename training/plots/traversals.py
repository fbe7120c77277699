"""Each attribute walked over its real range: a grid, and an animation per attribute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attributes import Attribute
from training.autoencoder import Autoencoder, to_uint8
from training.metrics.context import EvaluationContext
from training.plots.pictures import COLUMNS, Picture, grid, upscale, with_row_names

FRAMES = 24  # from one end to the other
SIDE = 192  # of an animation in pixels, at least half of it


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture | list[Picture]]]:
    """``traversals.png``, and ``traversal-NAME.gif`` of each attribute.

    The animation runs to the end and back, but once through for circular and nominal attributes.
    """
    yield "traversals.png", traversals(context.autoencoder)
    factor = max(1, SIDE // max(context.autoencoder.image_shape[:2]))
    for attribute in context.autoencoder.codebook.attributes:
        forth = list(traversal(context.autoencoder, attribute, FRAMES))
        frames = forth if attribute.kind in ("circular", "nominal") else forth + forth[-2:0:-1]
        yield f"traversal-{attribute.name}.gif", [upscale(frame, factor) for frame in frames]


def traversals(autoencoder: Autoencoder) -> Picture:
    """A named row for each attribute, which runs over its whole axis; the others have their defaults."""
    vocabulary = autoencoder.codebook.attributes
    rows = [traversal(autoencoder, attribute, COLUMNS) for attribute in vocabulary]
    return with_row_names(grid(rows), [attribute.name for attribute in vocabulary])


def traversal(autoencoder: Autoencoder, attribute: Attribute, count: int) -> Picture:
    """Images [N, H, W, C] of at most ``count`` values of one attribute; the others have their defaults."""
    vocabulary = autoencoder.codebook.attributes
    weights = np.stack([vocabulary.weights({attribute.name: value}) for value in axis_values(attribute, count)])
    return to_uint8(autoencoder.decode(autoencoder.codebook.place(weights)))


def axis_values(attribute: Attribute, count: int) -> list[float]:
    """At most ``count`` values from one end of the axis to the other, between classes too unless they are nominal."""
    if attribute.kind == "nominal":
        return [float(round(value)) for value in np.linspace(0, attribute.size - 1, min(attribute.size, count))]
    if attribute.kind == "circular":
        return [index * attribute.classes / count for index in range(count)]
    return [float(value) for value in np.linspace(*attribute.ends, count)]
