"""From the encoder's outputs to what /encode says about each image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Float32, Floats
from service.batching.scheduler import Columns
from service.inference.model import Model


def read(model: Model, images: Float32, outputs: Columns) -> Columns:
    """The encoder's outputs for images [B, C, H, W], with what they say of the attributes: ``said`` [B, A, 5].

    With ``unfamiliar`` [B], where the model can tell which images are unlike what it was trained on.
    """
    said = numbers(model.attributes, outputs["weights"])
    for index, deviations in _spread(model, outputs.get("logvar")).items():
        said[:, index, 4] = deviations
    unfamiliar = model.unfamiliar(images, outputs["z"])
    return {**outputs, "said": said} | ({} if unfamiliar is None else {"unfamiliar": unfamiliar})


def numbers(attributes: Attributes, weights: Floats) -> NDArray[np.float64]:
    """What weights [B, sum K] of the attributes say: [B, A, 5] of value, index, unit value, confidence, sd.

    The standard deviation of a continuous attribute is for its posterior to tell; all others have none.
    """
    reading = attributes.read(weights)
    said = np.empty((*reading.index.shape, 5))
    said[..., 0] = attributes.rounded(reading.position, 4)
    said[..., 1] = reading.index
    said[..., 2] = attributes.in_unit(reading.position)
    said[..., 3] = reading.confidence
    said[..., 4] = np.nan
    np.round(said[..., 2:4], 6, out=said[..., 2:4])
    return said


def say(attribute: Attribute, said: Sequence[float]) -> dict[str, Any]:
    """One row of ``numbers`` in words: the value, as /decode takes it, and how sure it is."""
    value, index, unit_value, confidence, sd = said
    if attribute.kind == "continuous":
        return {"value": value, "sd": None if math.isnan(sd) else sd}
    if attribute.kind == "nominal":
        label = attribute.labels[int(index)]
        return {"value": label, "index": int(index), "label": label, "confidence": confidence}
    return {"value": value, "index": int(index), "unit_value": unit_value, "confidence": confidence}


def items(
    model: Model, outputs: Columns, converted: Sequence[Sequence[str]], detail: str | None = None
) -> list[dict[str, Any]]:
    """One item per image of what ``read`` gave; its attributes are accepted by /decode."""
    parts = {part.attribute: slice(part.start, part.stop) for part in model.manifest.latents}
    said, points = outputs["said"].tolist(), outputs["z"].tolist()
    unfamiliar = outputs["unfamiliar"].tolist() if "unfamiliar" in outputs else [None] * len(points)

    def one(index: int) -> dict[str, Any]:
        z = points[index]
        entries = {}
        for attribute, numbers in zip(model.attributes, said[index], strict=True):
            name = attribute.name
            entry = say(attribute, numbers)
            entry["z"] = z[parts[name]] if name in parts else []
            if detail == "weights" and attribute.kind != "continuous":
                entry["weights"] = outputs["weights"][index, model.attributes.columns(name)].tolist()
            entries[name] = entry
        item = {"attributes": entries, "z": z, "converted": converted[index], "unfamiliar": unfamiliar[index]}
        if detail == "posterior":
            item |= {name: outputs[name][index].tolist() if name in outputs else None for name in ("mean", "logvar")}
        return item

    return [one(index) for index in range(len(points))]


def _spread(model: Model, logvar: Float32 | None) -> dict[int, Floats]:
    """Standard deviations [B] of continuous attributes by their place, in their units, where the posterior is of z."""
    if logvar is None:
        return {}
    sd = np.exp(logvar.astype(np.float64) / 2)
    spread: dict[int, Floats] = {}
    for index, attribute in enumerate(model.attributes):
        part = model.codebook.part(attribute.name)
        if part is None or attribute.kind != "continuous" or part.stop != part.start + 1:
            continue
        same = part.start if logvar.shape[1] == model.manifest.latent_length else None  # bundles that don't say
        code = same if part.code is None else part.code
        scale = abs(float(model.codebook.matrix[model.attributes.columns(attribute.name).start, part.start]))
        if code is not None and scale > 0:
            spread[index] = sd[:, code] / scale
    return spread
