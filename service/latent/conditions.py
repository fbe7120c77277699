"""Conditions: what the encoder is given besides the image, with ``?given=digit:3``."""

from __future__ import annotations

import re

import numpy as np

from attributes import Float32, Floats
from service.inference.engine import Engine
from service.inference.model import Model
from service.problems import Problem, located

# A comma before the next ``NAME:``. Other commas belong to a value, which may be a list of weights.
SEPARATOR = re.compile(r",(?=[^\W\d]\w*:)")


def parse(model: Model, text: str | None) -> dict[str, Floats]:
    """Weights [K] of each condition in ``NAME:VALUE,NAME:VALUE``; raises Problem 422."""
    conditions = model.codebook.conditions
    given: dict[str, Floats] = {}
    for part in SEPARATOR.split(text) if text is not None else ():
        name, colon, value = part.partition(":")
        if not colon or name not in conditions or name in given:
            accepted = ", ".join(f"{each}:VALUE" for each in conditions) or "nothing: this model takes no conditions"
            message = f"query.given: got {part[:80]!r}; accepts {accepted}"
            raise Problem(422, message, where="query.given", got=part[:80], accepted=accepted)
        attribute = model.attributes.named(name)
        with located("query.given"):
            given[name] = attribute.weights(attribute.parse(value))
    return given


async def encoder_inputs(engine: Engine, images: Float32, given: dict[str, Floats]) -> dict[str, Float32]:
    """The encoder's further inputs for images [B, C, H, W] under conditions; the model infers those not given."""
    if not given:
        return {}
    model = engine.model
    weights = np.zeros((len(images), model.attributes.total), np.float32)
    if len(given) < len(model.codebook.conditions):
        weights = (await engine.encode(images))["weights"].copy()
    for name, condition in given.items():
        weights[:, model.attributes.columns(name)] = condition
    return {"condition": weights, "condition_known": np.ones((len(images), 1), np.float32)}
