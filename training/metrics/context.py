"""What set metrics work on: a model, rows of a data set, the codes of their images, and the factors behind them."""

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


class CodesAndFactors(NamedTuple):
    """Codes and ground-truth factors of the same N images, as the disentanglement metrics take them."""

    codes: NDArray[np.float64]
    """[N, C]: positions of discrete attributes, values of continuous ones."""
    code_names: tuple[str, ...]
    """The model's attributes."""
    factors: NDArray[np.intp]
    """[N, F]: classes of the data's discrete attributes, aliases apart."""
    factor_names: tuple[str, ...]


class EvaluationContext:
    """A model, the rows of a data set to evaluate it on, and a seed for all random numbers."""

    def __init__(self, autoencoder: Autoencoder, dataset: Dataset, rows: Rows, seed: int = 0) -> None:
        self.autoencoder, self.dataset, self.rows, self.seed = autoencoder, dataset, rows, seed

    @cached_property
    def encoded(self) -> Encoded:
        """The encoder's outputs for all rows."""
        return encode(self.autoencoder, self.dataset, self.rows)

    @property
    def factor_attributes(self) -> list[Attribute]:
        """The data's discrete attributes."""
        return [attribute for attribute in self.dataset.attributes if attribute.kind != "continuous"]

    @cached_property
    def codes_and_factors(self) -> CodesAndFactors:
        """Codes and factors of the rows where all discrete attributes are labelled."""
        vocabulary = self.autoencoder.codebook.attributes
        codes = vocabulary.read(self.encoded.weights).position.astype(np.float64)
        classes, complete = target_classes(self.dataset, self.rows, self.factor_attributes)
        return CodesAndFactors(
            codes[complete],
            tuple(attribute.name for attribute in vocabulary),
            classes[complete],
            tuple(attribute.name for attribute in self.factor_attributes),
        )


SetMetric = Callable[[EvaluationContext], Iterator[tuple[str, "float | NDArray[Any]"]]]


def encode(autoencoder: Autoencoder, dataset: Dataset, rows: Rows) -> Encoded:
    """The encoder's outputs for rows [N] of a data set."""
    parts = [autoencoder.encode(dataset.batch(rows[i : i + CHUNK]).images) for i in range(0, len(rows), CHUNK)]
    return Encoded(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def target_classes(
    dataset: Dataset, rows: Rows, attributes: list[Attribute]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """True classes [N, A] of discrete attributes, and in which rows [N] all of them are labelled."""
    index = [dataset.attributes.index(attribute) for attribute in attributes]
    columns = [dataset.attributes.columns(attribute.name) for attribute in attributes]
    classes, known = [], []
    for start in range(0, len(rows), CHUNK):
        batch = dataset.batch(rows[start : start + CHUNK])
        classes.append(np.stack([batch.targets[:, c].argmax(axis=1) for c in columns], axis=1))
        known.append(batch.known[:, index].all(axis=1))
    return np.concatenate(classes), np.concatenate(known)
