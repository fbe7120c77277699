"""What set metrics look at: a codec on some rows, its codes as coordinates, and the factors behind the images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.autoencoder import Autoencoder, Encoded
from training.data.dataset import Dataset, Rows

CHUNK = 512


class Representation(NamedTuple):
    """Codes and factors of the same images."""

    codes: NDArray[np.float64]
    """[N, C] coordinates: positions of discrete attributes, values of continuous ones."""
    names: tuple[str, ...]
    """Of the codes: the model's attributes."""
    factors: NDArray[np.intp]
    """[N, F] classes of the data's discrete attributes, aliases apart."""
    factor_names: tuple[str, ...]


class EvaluationContext:
    """A codec, rows of a source to study it on, and a seed for all that is drawn."""

    def __init__(self, autoencoder: Autoencoder, dataset: Dataset, rows: Rows, seed: int = 0) -> None:
        self.autoencoder, self.dataset, self.rows, self.seed = autoencoder, dataset, rows, seed

    @cached_property
    def encoded(self) -> Encoded:
        """What the encoder says of all rows."""
        return encode(self.autoencoder, self.dataset, self.rows)

    @property
    def factors(self) -> list[Attribute]:
        """The data's discrete attributes."""
        return [attribute for attribute in self.dataset.attributes if attribute.kind != "continuous"]

    @cached_property
    def representation(self) -> Representation:
        """Codes and factors of the rows whose discrete attributes are all labelled."""
        vocabulary = self.autoencoder.codebook.attributes
        codes = vocabulary.read(self.encoded.weights).position.astype(np.float64)
        classes, complete = labels_of(self.dataset, self.rows, self.factors)
        names = tuple(attribute.name for attribute in vocabulary)
        return Representation(
            codes[complete], names, classes[complete], tuple(attribute.name for attribute in self.factors)
        )


SetMetric = Callable[[EvaluationContext], Iterator[tuple[str, "float | NDArray[Any]"]]]


def encode(autoencoder: Autoencoder, dataset: Dataset, rows: Rows) -> Encoded:
    """What the encoder says of rows of a source."""
    parts = [autoencoder.encode(dataset.batch(rows[i : i + CHUNK]).images) for i in range(0, len(rows), CHUNK)]
    return Encoded(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def labels_of(dataset: Dataset, rows: Rows, attributes: list[Attribute]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Classes [N, A] of discrete attributes, and of which rows [N] all are labelled."""
    index = [dataset.attributes.index(attribute) for attribute in attributes]
    columns = [dataset.attributes.columns(attribute.name) for attribute in attributes]
    classes, known = [], []
    for start in range(0, len(rows), CHUNK):
        batch = dataset.batch(rows[start : start + CHUNK])
        classes.append(np.stack([batch.targets[:, c].argmax(axis=1) for c in columns], axis=1))
        known.append(batch.known[:, index].all(axis=1))
    return np.concatenate(classes), np.concatenate(known)
