"""From the encoder's outputs to what /encode says about each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from service.runtime import Model
from training.attributes import Attribute, Floats, Reading
from training.codebook import Float32


def items(
    model: Model,
    outputs: dict[str, Float32],
    converted: Sequence[Sequence[str]],
    unfamiliar: Sequence[bool] | None,
    detail: str | None,
) -> list[dict[str, Any]]:
    """One item per image of the encoder's outputs [B, ...]; its attributes are accepted by /decode."""
    z, weights = outputs["z"], outputs["weights"]
    readings = model.attributes.read(weights.astype(np.float64))
    spread = _spread(model, outputs.get("logvar"))
    parts = {part.attribute: slice(part.start, part.stop) for part in model.manifest.latents}

    def one(index: int) -> dict[str, Any]:
        entries = {}
        for attribute in model.attributes:
            name = attribute.name
            deviations = spread.get(name)
            entry = said(attribute, readings[name], None if deviations is None else float(deviations[index]), index)
            entry["z"] = z[index, parts[name]].tolist() if name in parts else []
            if detail == "weights" and attribute.kind != "continuous":
                entry["weights"] = weights[index, model.attributes.columns(name)].tolist()
            entries[name] = entry
        item: dict[str, Any] = {"attributes": entries, "z": z[index].tolist(), "converted": list(converted[index])}
        item["unfamiliar"] = None if unfamiliar is None else unfamiliar[index]
        if detail == "posterior":
            item |= {name: outputs[name][index].tolist() if name in outputs else None for name in ("mean", "logvar")}
        return item

    return [one(index) for index in range(len(z))]


def said(attribute: Attribute, reading: Reading, sd: float | None, row: int) -> dict[str, Any]:
    """What a reading says of one row: its value, as /decode takes it, and how sure it is."""
    position = float(reading.position[row])
    if attribute.kind == "continuous":
        return {"value": position, "sd": sd}
    index, confidence = int(reading.index[row]), round(float(reading.confidence[row]), 6)
    if attribute.kind == "nominal":
        label = attribute.labels[index]
        return {"value": label, "index": index, "label": label, "confidence": confidence}
    return {
        "value": attribute.canonical(round(position, 4)),
        "index": index,
        "unit_value": round(float(attribute.in_unit(position)), 6),
        "confidence": confidence,
    }


def _spread(model: Model, logvar: Float32 | None) -> dict[str, Floats]:
    """Standard deviations [B] of the continuous attributes, in their units, where the posterior is one of z."""
    if logvar is None:
        return {}
    sd = np.exp(logvar.astype(np.float64) / 2)
    spread: dict[str, Floats] = {}
    for part in model.manifest.latents:
        same = part.start if logvar.shape[1] == model.manifest.latent_length else None  # bundles that don't say
        code = same if part.code is None else part.code
        if code is not None and model.attributes[part.attribute].kind == "continuous" and part.stop == part.start + 1:
            row = model.attributes.columns(part.attribute).start
            scale = abs(float(model.codebook.matrix[row, part.start]))
            if scale > 0:
                spread[part.attribute] = sd[:, code] / scale
    return spread
