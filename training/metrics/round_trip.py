"""Round trip: whether decoding attribute values and encoding the image gives the same values back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics.predictions import Predictions


def compute(predictions: Predictions) -> Iterator[tuple[str, NDArray[Any]]]:
    """Per row [B] where all attributes that model and data share are labelled:

    * ``round_trip.NAME``: the class of a discrete attribute comes back.
    * ``round_trip.all``: all classes come back.
    * ``round_trip.all_but_NAME``: all classes but that of a circular attribute, which is the hardest to predict.
    """
    complete = np.all([*predictions.known.values()], axis=0)
    right = {}
    for attribute in predictions.attributes:
        if attribute.kind != "continuous":
            target = attribute.fold(predictions.targets[attribute.name]).argmax(axis=1)
            right[attribute.name] = attribute.read(predictions.re_encoded[attribute.name]).index == target
            yield f"round_trip.{attribute.name}", np.where(complete, right[attribute.name], np.nan)
    if right:
        yield "round_trip.all", np.where(complete, np.all([*right.values()], axis=0), np.nan)
    for attribute in predictions.attributes:
        if attribute.kind == "circular" and len(right) > 1:
            others = np.all([each for name, each in right.items() if name != attribute.name], axis=0)
            yield f"round_trip.all_but_{attribute.name}", np.where(complete, others, np.nan)
