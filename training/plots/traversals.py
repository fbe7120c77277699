"""Each attribute walked over its real range: a grid, and an animation per attribute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attributes import Attribute
from training.autoencoder import Autoencoder, to_uint8
from training.metrics.context import EvaluationContext
from training.plots.canvas import COLUMNS, Picture, enlarged, grid, with_names

FRAMES = 24
SIDE = 192


def draw(context: EvaluationContext) -> Iterator[tuple[str, Picture | list[Picture]]]:
    """``traversals.png``, and ``traversal-NAME.gif`` of each attribute: there and back, or once round."""
    yield "traversals.png", traversals(context.autoencoder)
    times = max(1, SIDE // max(context.autoencoder.image_shape[:2]))
    for attribute in context.autoencoder.codebook.attributes:
        there = list(walked(context.autoencoder, attribute, FRAMES))
        frames = there if attribute.kind in ("circular", "nominal") else there + there[-2:0:-1]
        yield f"traversal-{attribute.name}.gif", [enlarged(frame, times) for frame in frames]


def traversals(autoencoder: Autoencoder) -> Picture:
    """One row per attribute, walked over its whole axis, the others at their defaults; its name stands before it."""
    vocabulary = autoencoder.codebook.attributes
    rows = [walked(autoencoder, attribute, COLUMNS) for attribute in vocabulary]
    return with_names(grid(rows), [attribute.name for attribute in vocabulary])


def walked(autoencoder: Autoencoder, attribute: Attribute, count: int) -> Picture:
    """Images [N, H, W, C] of at most so many values of one attribute, the others at their defaults."""
    vocabulary = autoencoder.codebook.attributes
    weights = np.stack([vocabulary.weights({attribute.name: value}) for value in axis(attribute, count)])
    return to_uint8(autoencoder.decode(autoencoder.codebook.place(weights)))


def axis(attribute: Attribute, count: int) -> list[float]:
    """Values from one end to the other, in fractions of classes unless they are nominal."""
    if attribute.kind == "nominal":
        return [float(round(each)) for each in np.linspace(0, attribute.size - 1, min(attribute.size, count))]
    if attribute.kind == "circular":
        return [each * attribute.classes / count for each in range(count)]
    return [float(each) for each in np.linspace(*attribute.ends, count)]
