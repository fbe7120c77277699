"""An attribute of every kind."""

from __future__ import annotations

import math

from attributes import Attribute, Attributes

SHAPE = Attribute(name="shape", kind="nominal", size=3, labels=("square", "ellipse", "heart"), default="heart")
SCALE = Attribute(name="scale", kind="ordinal", size=6, range=(0.5, 1.0), default=5)
TURN = Attribute(
    name="turn", kind="circular", size=40, period=39, unit="radians", range=(0.0, 2 * math.pi), default=38.5
)
WEIGHT = Attribute(name="weight", kind="continuous", range=(-2.0, 6.0), unit="kg", default=1.5)
ALL = Attributes([SHAPE, SCALE, TURN, WEIGHT])

DISCRETE = [SHAPE, SCALE, TURN]


def block(size: int, shares: dict[int, float]) -> list[float]:
    """A list of zeros, but for some shares by index."""
    return [shares.get(i, 0.0) for i in range(size)]
