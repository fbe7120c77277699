"""Predictions: from the encoder's outputs to what /encode says about each image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Float32, Floats
from service.batching.jobs import Batch
from service.inference.model import Model

Item: TypeAlias = dict[str, Any]  # what a response says of one image, as JSON
VALUE_DIGITS, SHARE_DIGITS = 4, 6


class Prediction(NamedTuple):
    """What an image says about one attribute."""

    value: float
    """Position on the axis, or the value of a continuous attribute."""
    class_index: float
    """The most probable class."""
    unit_value: float
    """The value in the attribute's unit."""
    confidence: float
    """Probability of the most probable class."""
    sd: float
    """Standard deviation of a continuous attribute, in its unit; NaN where it is unknown."""


def predict(model: Model, images: Float32, outputs: Batch) -> Batch:
    """The encoder's outputs for images [B, C, H, W], with ``predictions`` [B, A, 5]: the fields of ``Prediction``.

    With ``unfamiliar`` [B], where the model can tell which images are unlike its training data.
    """
    predictions = prediction_table(model.attributes, outputs["weights"])  # [B, A, 5]
    for index, sd in _standard_deviations(model, outputs.get("logvar")).items():
        predictions[:, index, 4] = sd
    unfamiliar = model.unfamiliar(images, outputs["z"])
    return {**outputs, "predictions": predictions} | ({} if unfamiliar is None else {"unfamiliar": unfamiliar})


def prediction_table(attributes: Attributes, weights: Floats) -> NDArray[np.float64]:
    """The fields of ``Prediction`` of weights [B, sum K]: [B, A, 5]. Standard deviations are NaN."""
    reading = attributes.read(weights)
    table = np.empty((*reading.index.shape, len(Prediction._fields)))
    table[..., 0] = attributes.rounded(reading.position, VALUE_DIGITS)
    table[..., 1] = reading.index
    table[..., 2] = attributes.in_unit(reading.position)
    table[..., 3] = reading.confidence
    table[..., 4] = np.nan
    np.round(table[..., 2:4], SHARE_DIGITS, out=table[..., 2:4])
    return table


def as_json(attribute: Attribute, prediction: Sequence[float]) -> Item:
    """A prediction as JSON; its ``value`` is one that /decode accepts."""
    value, index, unit_value, confidence, sd = prediction
    if attribute.kind == "continuous":
        return {"value": value, "sd": None if math.isnan(sd) else sd}
    if attribute.kind == "nominal":
        label = attribute.labels[int(index)]
        return {"value": label, "index": int(index), "label": label, "confidence": confidence}
    return {"value": value, "index": int(index), "unit_value": unit_value, "confidence": confidence}


def items(model: Model, outputs: Batch, converted: Sequence[Sequence[str]], detail: str | None = None) -> list[Item]:
    """One item for each image of what ``predict`` gave; /decode accepts its attributes."""
    # Lists, as indexing arrays of numpy number by number takes longer than all the rest.
    predictions, points = outputs["predictions"].tolist(), outputs["z"].tolist()
    unfamiliar = outputs["unfamiliar"].tolist() if "unfamiliar" in outputs else [None] * len(points)
    parts = {part.attribute: slice(part.start, part.stop) for part in model.manifest.latents}

    def item(index: int) -> Item:
        z = points[index]
        entries = {}
        for attribute, prediction in zip(model.attributes, predictions[index], strict=True):
            name = attribute.name
            entry = as_json(attribute, prediction)
            entry["z"] = z[parts[name]] if name in parts else []
            if detail == "weights" and attribute.kind != "continuous":
                entry["weights"] = outputs["weights"][index, model.attributes.columns(name)].tolist()
            entries[name] = entry
        made = {"attributes": entries, "z": z, "converted": converted[index], "unfamiliar": unfamiliar[index]}
        if detail == "posterior":
            made |= {name: outputs[name][index].tolist() if name in outputs else None for name in ("mean", "logvar")}
        return made

    return [item(index) for index in range(len(points))]


def _standard_deviations(model: Model, logvar: Float32 | None) -> dict[int, Floats]:
    """Standard deviations [B] of continuous attributes, in their units, by the attribute's number.

    Only of attributes whose latent dimension has a Gaussian posterior.
    """
    if logvar is None:
        return {}
    sd = np.exp(logvar.astype(np.float64) / 2)  # [B, L]
    found: dict[int, Floats] = {}
    for index, attribute in enumerate(model.attributes):
        part = model.codebook.part(attribute.name)
        if part is None or attribute.kind != "continuous" or part.stop != part.start + 1:
            continue
        # Early bundles don't say which code a dimension has; there they are the same if there are as many.
        same = part.start if logvar.shape[1] == model.manifest.latent_length else None
        code = same if part.code is None else part.code
        scale = abs(float(model.codebook.matrix[model.attributes.columns(attribute.name).start, part.start]))
        if code is not None and scale > 0:
            found[index] = sd[:, code] / scale
    return found
