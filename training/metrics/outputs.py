"""What metrics and pictures look at: some rows, and what a codec made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute, Attributes, Float32
from training.autoencoder import Autoencoder, Encoded, to_uint8
from training.data.dataset import Batch


class Outputs(NamedTuple):
    """Some rows, and what a codec made of them."""

    shared: tuple[Attribute, ...]
    """The attributes that both data and model know."""
    complete: NDArray[np.bool_]
    """[B] where every attribute of the model is labelled; nowhere if the data doesn't know them all."""
    targets: dict[str, NDArray[np.float32]]
    """Weights [B, K] of the labels of each shared attribute."""
    known: dict[str, NDArray[np.bool_]]
    """[B] of each shared attribute."""
    images: NDArray[np.uint8]
    """[B, H, W, C]."""
    said: dict[str, Float32]
    """Weights [B, K] that the encoder gives each shared attribute."""
    reconstructed: Float32
    """decode(encode(image).z), [B, H, W, C] in 0..1."""
    decoded: Float32
    """decode(the labels' place), [B, H, W, C] in 0..1; what labels don't tell at its default."""
    returned: dict[str, Float32]
    """Weights [B, K] that the encoder gives each shared attribute of ``decoded``, rounded to 8 bits."""


Metric = Callable[[Outputs], Iterator[tuple[str, NDArray[Any]]]]


def shared(autoencoder: Autoencoder, attributes: Attributes) -> tuple[Attribute, ...]:
    """The model's attributes that the data has too, of the same name, kind and classes."""

    def identity(attribute: Attribute) -> tuple[object, ...]:
        return attribute.name, attribute.kind, attribute.size, attribute.labels, attribute.period

    own = {identity(attribute) for attribute in autoencoder.codebook.attributes}
    return tuple(attribute for attribute in attributes if identity(attribute) in own)


def label_weights(autoencoder: Autoencoder, attributes: Attributes, batch: Batch) -> NDArray[Any]:
    """Weights [B, sum K] over the model's attributes: the labels, and defaults where there are none."""
    vocabulary = autoencoder.codebook.attributes
    weights = np.repeat(vocabulary.weights({})[None], len(batch.images), axis=0)
    for attribute in shared(autoencoder, attributes):
        known = batch.known[:, attributes.index(attribute), None]
        columns, own = attributes.columns(attribute.name), vocabulary.columns(attribute.name)
        weights[:, own] = np.where(known, batch.targets[:, columns], weights[:, own])
    return weights


def outputs(autoencoder: Autoencoder, batch: Batch, attributes: Attributes) -> Outputs:
    """What a codec makes of a batch whose labels are of these attributes."""
    vocabulary, both = autoencoder.codebook.attributes, shared(autoencoder, attributes)
    index = [attributes.index(attribute) for attribute in both]
    complete = np.logical_and(batch.known[:, index].all(axis=1), len(both) == len(vocabulary))
    encoded = autoencoder.encode(batch.images)
    decoded = autoencoder.decode(autoencoder.codebook.place(label_weights(autoencoder, attributes, batch)))

    def each(encoded: Encoded) -> dict[str, Float32]:
        return {each.name: encoded.weights[:, vocabulary.columns(each.name)] for each in both}

    return Outputs(
        shared=both,
        complete=complete,
        targets={each.name: batch.targets[:, attributes.columns(each.name)] for each in both},
        known={each.name: batch.known[:, i] for i, each in zip(index, both, strict=True)},
        images=batch.images,
        said=each(encoded),
        reconstructed=autoencoder.decode(encoded.z),
        decoded=decoded,
        returned=each(autoencoder.encode(to_uint8(decoded))),
    )
