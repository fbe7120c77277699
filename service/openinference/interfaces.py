"""The three models of the protocol that a bundle is: ``NAME.encoder``, ``NAME.decoder``, and ``NAME``, which decodes
attribute weights.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from attributes import Float32
from export.manifest import TensorSpec
from service.inference.engine import Engine
from service.inference.model import Model
from service.inference.repository import ModelRepository
from service.latent.points import MAX_FLOAT32
from service.openinference.attribute_weights import bounds, normalised
from service.openinference.protocol import Datatype
from service.problems import Problem

Arrays = Mapping[str, NDArray[Any]]
Bound = float | Float32


@dataclass(frozen=True)
class TensorType:
    """An input or output. Its shape begins with -1, the number of items. Inputs accept values from low to high."""

    name: str
    shape: tuple[int, ...]
    datatype: Datatype = "FP32"
    low: Bound = -MAX_FLOAT32
    high: Bound = MAX_FLOAT32


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a model. Optional inputs must come together or not at all."""

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    infer: Callable[[Engine, Mapping[str, Float32]], Awaitable[Arrays]]
    optional: tuple[TensorType, ...] = ()


def encoder(model: Model) -> Interface:
    """Images [B, C, H, W] in 0..1 to z, weights, and mean, logvar where they exist.

    A conditional encoder also takes ``condition`` [B, sum K] and ``condition_known`` [B, 1]: whether it counts.
    """
    low, high = bounds(model.attributes)
    ranges: dict[str, tuple[Bound, Bound]] = {
        "image": (0.0, 1.0),
        "condition": (low, high),
        "condition_known": (0.0, 1.0),
    }
    specs = {spec.name: spec for spec in model.manifest.encoder.inputs}
    image, *optional = (TensorType(name, specs[name].shape, "FP32", *ranges[name]) for name in ranges if name in specs)

    async def infer(engine: Engine, given: Mapping[str, Float32]) -> Arrays:
        conditions = {name: array for name, array in given.items() if name != "image"}
        outputs = await engine.encode(given["image"], conditions)
        # Clipped as in /encode, so that the model NAME accepts them.
        return outputs | {"weights": np.clip(outputs["weights"], low, high)}

    return Interface((image,), _plain(model.manifest.encoder.outputs), infer, tuple(optional))


def decoder(model: Model) -> Interface:
    """z [B, D] to images [B, C, H, W] in 0..1."""

    async def infer(engine: Engine, given: Mapping[str, Float32]) -> Arrays:
        return {"image": await engine.decode(given["z"])}

    return Interface(_plain(model.manifest.decoder.inputs), _plain(model.manifest.decoder.outputs), infer)


def attribute_decoder(model: Model) -> Interface:
    """Attribute weights [B, sum K] to images [B, H, W, C] of 0..255; the weights of each attribute are normalised."""
    low, high = bounds(model.attributes)

    async def infer(engine: Engine, given: Mapping[str, Float32]) -> Arrays:
        weights = normalised(engine.model.attributes, given["weights"])
        return {"image": await engine.draw(engine.model.codebook.place(weights), np.asarray)}

    weights = TensorType("weights", (-1, model.attributes.total), "FP32", low, high)
    return Interface((weights,), (TensorType("image", (-1, *model.manifest.image.shape), "UINT8"),), infer)


# The only version of every model. Tools of Triton accept no versions but whole numbers.
VERSION = "1"
# By the suffix of the bundle's name.
PARTS: dict[str, Callable[[Model], Interface]] = {"": attribute_decoder, ".encoder": encoder, ".decoder": decoder}

# Made once per model. An interface holds no model, so that models which are no longer served can be freed.
_interfaces: WeakKeyDictionary[Model, dict[str, Interface]] = WeakKeyDictionary()


def find(repository: ModelRepository, name: str, version: str | None) -> tuple[Engine, Interface]:
    """The engine of a model of the protocol, and its interface; raises Problem 404 that lists what there is.

    A bundle's own name comes first, should another be named like one of its parts. The beginning of a model's digest is
    accepted as its version, too: then this very model answers, or none.
    """
    engines = repository.engines
    for part in PARTS:
        if name.endswith(part) and (engine := engines.get(name.removesuffix(part))):
            if version not in (None, VERSION, engine.model.digest[:12]):
                raise Problem(404, f"no version {version!r:.80} of {name}; there is {VERSION!r}")
            return engine, _interface(engine.model, part)
    there = [bundle + part for bundle in engines for part in PARTS]
    unloaded = any(name == bundle + part for bundle in repository.names for part in PARTS)
    raise Problem(
        404,
        f"{'unloaded' if unloaded else 'no'} model {name[:80]!r}; there is {', '.join(there) or 'none'}",
        models=there,
    )


def _interface(model: Model, part: str) -> Interface:
    if model not in _interfaces:
        _interfaces[model] = {name: make(model) for name, make in PARTS.items()}
    return _interfaces[model][part]


def _plain(specs: tuple[TensorSpec, ...]) -> tuple[TensorType, ...]:
    return tuple(TensorType(spec.name, spec.shape) for spec in specs)
