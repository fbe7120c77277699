"""Groups of images that share a class, and recombination: the class of some images in the style of another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from attributes import Attributes, Float32
from service.batching.jobs import Batch
from service.inference.model import Model
from service.inference.predictions import Item, as_json, prediction_table
from service.problems import Problem


def items(
    model: Model,
    outputs: Batch,
    converted: Sequence[Sequence[str]],
    detail: str | None,
) -> list[Item]:
    """The one item for all images of a group, of what ``predictions.predict`` gave; raises Problem 422.

    It has the group's attribute only, as each image has its own value of every other one; z has their defaults. The
    evidence is the product of the images' Gaussians. A group is unfamiliar if any of its images is.
    """
    codebook = model.codebook
    if codebook.group is None:
        message = "query.group: this model knows no groups; its images are encoded one by one"
        raise Problem(422, message, where="query.group")
    name = codebook.group.attribute
    mean, logvar = codebook.evidence(outputs["mean"], outputs["logvar"])
    weights = codebook.group_weights(mean[None])
    z = _with_class(model, codebook.place(model.attributes.weights({})[None])[0], mean)
    attribute = model.attributes.named(name)
    entry = as_json(attribute, prediction_table(Attributes([attribute]), weights)[0, 0].tolist()) | {
        "z": z[codebook.grouped[0]].tolist()
    }
    if detail == "weights":
        entry["weights"] = weights[0].tolist()
    item: Item = {"attributes": {name: entry}, "z": z.tolist()}
    item["converted"] = list(dict.fromkeys(chain(*converted)))
    item["unfamiliar"] = bool(outputs["unfamiliar"].any()) if "unfamiliar" in outputs else None
    if detail == "posterior":
        item |= {"mean": mean.tolist(), "logvar": logvar.tolist()}
    return [item]


def recombined(model: Model, classes: Batch, style: Batch) -> Float32:
    """z [1, D] with the class of images [B, ...] and everything else of one image [1, ...]; raises Problem 422.

    The class is the group's evidence, or the conditions that the encoder infers, averaged over the images.
    """
    codebook = model.codebook
    if codebook.group is not None:
        mean, _ = codebook.evidence(classes["mean"], classes["logvar"])
        return _with_class(model, style["z"][0], mean)[None]
    if not codebook.conditions:
        needed = "a model that was trained with groups or with conditions"
        raise Problem(422, f"this model has no class apart from its style; needs {needed}", accepted=needed)
    weights = style["weights"].copy()
    for name in codebook.conditions:
        columns = model.attributes.columns(name)
        weights[:, columns] = classes["weights"][:, columns].mean(axis=0)
    return codebook.edit(style["z"], style["weights"], weights)


def _with_class(model: Model, z: Float32, code: Any) -> Float32:
    """z [D] with the group's part replaced."""
    replaced = z.copy()
    replaced[model.codebook.grouped[0]] = code
    return replaced
