"""What the encoder is told besides the image: ``?given=digit:3``."""

from __future__ import annotations

import re

import numpy as np

from attributes import Float32, Floats
from service.batching.scheduler import Columns
from service.inference.engine import Engine
from service.inference.model import Model
from service.problems import Problem, located

NEXT = re.compile(r",(?=[^\W\d]\w*:)")
"""A comma before the next ``NAME:``; all others belong to a value, which may be weights with commas between them."""


def parse(model: Model, text: str | None) -> dict[str, Floats]:
    """Weights [K] of each condition in ``NAME:VALUE,NAME:VALUE``; raises Problem 422."""
    conditions = model.codebook.conditions
    given: dict[str, Floats] = {}
    for part in NEXT.split(text) if text is not None else ():
        name, colon, value = part.partition(":")
        if not colon or name not in conditions or name in given:
            accepted = ", ".join(f"{each}:VALUE" for each in conditions) or "nothing: this model takes no conditions"
            message = f"query.given: got {part[:80]!r}; accepts {accepted}"
            raise Problem(422, message, where="query.given", got=part[:80], accepted=accepted)
        attribute = model.attributes.named(name)
        with located("query.given"):
            given[name] = attribute.weights(attribute.parse(value))
    return given


async def read(engine: Engine, images: Float32, given: dict[str, Floats]) -> Columns:
    """What ``engine.read`` gives of images [B, C, H, W] under conditions; those that are not given it infers first."""
    if not given:
        return await engine.read(images, dict)
    model = engine.model
    weights = np.zeros((len(images), model.attributes.total), np.float32)
    if len(given) < len(model.codebook.conditions):
        weights = (await engine.encode(images))["weights"].copy()
    for name, told in given.items():
        weights[:, model.attributes.columns(name)] = told
    return await engine.read(images, dict, condition=weights, condition_known=np.ones((len(images), 1), np.float32))
