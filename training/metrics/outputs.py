"""What metrics and pictures look at: some rows, and what a codec made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.attributes import Attributes
from training.codec import Codec, Encoded, Float32, to_uint8
from training.data.source import Batch


class Outputs(NamedTuple):
    """Some rows, and what a codec made of them."""

    attributes: Attributes
    batch: Batch
    encoded: Encoded
    reconstructed: Float32
    """decode(encode(image).z), [B, H, W, C] in 0..1."""
    decoded: Float32
    """decode(the labels' place), [B, H, W, C] in 0..1; missing labels at their default."""
    returned: Encoded
    """encode(decoded), after rounding to 8 bits."""


Metric = Callable[[Outputs], Iterator[tuple[str, NDArray[Any]]]]


def outputs(codec: Codec, batch: Batch) -> Outputs:
    """What a codec makes of a batch."""
    encoded = codec.encode(batch.images)
    defaults = codec.attributes.weights({})
    known = np.repeat(batch.known, [attribute.size for attribute in codec.attributes], axis=1)
    labels = np.where(known, batch.targets, defaults)
    decoded = codec.decode(codec.place(labels))
    returned = codec.encode(to_uint8(decoded))
    return Outputs(codec.attributes, batch, encoded, codec.decode(encoded.z), decoded, returned)
