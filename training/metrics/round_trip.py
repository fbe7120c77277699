"""How often encoding what was decoded from attribute values gives these values back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.outputs import Outputs


def compute(outputs: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    """``round_trip.NAME`` for each discrete attribute, ``round_trip.all`` for all of them at once, and, as a circular
    attribute is the hardest to tell, ``round_trip.all_but_NAME`` for all the others; only where all that the model
    shares with the data are labelled.
    """
    complete = np.all([*outputs.known.values()], axis=0)
    right = {}
    for attribute in outputs.shared:
        if attribute.kind != "continuous":
            target = attribute.fold(outputs.targets[attribute.name]).argmax(axis=1)
            right[attribute.name] = attribute.read(outputs.returned[attribute.name]).index == target
            yield f"round_trip.{attribute.name}", np.where(complete, right[attribute.name], np.nan)
    if right:
        yield "round_trip.all", np.where(complete, np.all([*right.values()], axis=0), np.nan)
    for attribute in outputs.shared:
        if attribute.kind == "circular" and len(right) > 1:
            others = np.all([each for name, each in right.items() if name != attribute.name], axis=0)
            yield f"round_trip.all_but_{attribute.name}", np.where(complete, others, np.nan)
