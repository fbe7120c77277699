"""A batch with its labels, and the model's predictions for it: what metrics of single rows compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Float32
from training.autoencoder import Autoencoder, Encoded, to_uint8
from training.data.dataset import Batch


class Predictions(NamedTuple):
    """A batch, its labels, and what the model makes of both."""

    attributes: tuple[Attribute, ...]
    """Those that both data and model have."""
    complete: NDArray[np.bool_]
    """[B]: every attribute of the model is labelled; False everywhere if the data lacks one."""
    targets: dict[str, NDArray[np.float32]]
    """Weights [B, K] of the labels, by attribute."""
    known: dict[str, NDArray[np.bool_]]
    """[B] whether the row is labelled, by attribute."""
    images: NDArray[np.uint8]
    """[B, H, W, C]."""
    weights: dict[str, Float32]
    """Weights [B, K] that the encoder predicts, by attribute."""
    reconstructed: Float32
    """decode(encode(images).z), [B, H, W, C] in 0..1."""
    decoded: Float32
    """The labels decoded, [B, H, W, C] in 0..1; unlabelled attributes have their defaults."""
    re_encoded: dict[str, Float32]
    """Weights [B, K] that the encoder predicts for ``decoded``, rounded to 8 bits, by attribute."""


Metric = Callable[[Predictions], Iterator[tuple[str, NDArray[Any]]]]


def shared_attributes(autoencoder: Autoencoder, attributes: Attributes) -> tuple[Attribute, ...]:
    """The data's attributes that the model has too, with the same name, kind and classes."""

    def identity(attribute: Attribute) -> tuple[object, ...]:
        return attribute.name, attribute.kind, attribute.size, attribute.labels, attribute.period

    own = {identity(attribute) for attribute in autoencoder.codebook.attributes}
    return tuple(attribute for attribute in attributes if identity(attribute) in own)


def target_weights(autoencoder: Autoencoder, attributes: Attributes, batch: Batch) -> NDArray[Any]:
    """Weights [B, sum K] over the model's attributes: those of the labels, and defaults where a row has none."""
    vocabulary = autoencoder.codebook.attributes
    weights = np.repeat(vocabulary.weights({})[None], len(batch.images), axis=0)
    for attribute in shared_attributes(autoencoder, attributes):
        known = batch.known[:, attributes.index(attribute), None]
        columns, own = attributes.columns(attribute.name), vocabulary.columns(attribute.name)
        weights[:, own] = np.where(known, batch.targets[:, columns], weights[:, own])
    return weights


def predict(autoencoder: Autoencoder, batch: Batch, attributes: Attributes) -> Predictions:
    """The model's predictions for a batch whose labels are of these attributes."""
    vocabulary, shared = autoencoder.codebook.attributes, shared_attributes(autoencoder, attributes)
    index = [attributes.index(attribute) for attribute in shared]
    complete = np.logical_and(batch.known[:, index].all(axis=1), len(shared) == len(vocabulary))
    encoded = autoencoder.encode(batch.images)
    decoded = autoencoder.decode(autoencoder.codebook.place(target_weights(autoencoder, attributes, batch)))

    def by_attribute(encoded: Encoded) -> dict[str, Float32]:
        return {each.name: encoded.weights[:, vocabulary.columns(each.name)] for each in shared}

    return Predictions(
        attributes=shared,
        complete=complete,
        targets={each.name: batch.targets[:, attributes.columns(each.name)] for each in shared},
        known={each.name: batch.known[:, i] for i, each in zip(index, shared, strict=True)},
        images=batch.images,
        weights=by_attribute(encoded),
        reconstructed=autoencoder.decode(encoded.z),
        decoded=decoded,
        re_encoded=by_attribute(autoencoder.encode(to_uint8(decoded))),
    )
