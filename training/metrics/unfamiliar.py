"""How often a model says that an image is unlike what it was trained on, where it is and where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attributes import CHANNEL_MODES, reconstruction_error
from training.autoencoder import Autoencoder
from training.metrics.context import CHUNK, EvaluationContext

STRANGE = 1_000


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``unfamiliar.rows``, which are false alarms, and ``unfamiliar.KIND`` for ``STRANGE`` images of each kind that
    ``strange`` makes: the rest of these are misses. Of bundles, which bear a threshold.
    """
    threshold = context.autoencoder.unfamiliar
    if threshold is None:
        return

    yield "unfamiliar.rows", of_rows(context) > threshold
    for kind, images in strange(context).items():
        yield f"unfamiliar.{kind}", of_images(context.autoencoder, images) > threshold


def of_rows(context: EvaluationContext) -> NDArray[np.float64]:
    """The unlikeness [N] of the rows of a study."""

    def part(chosen: slice) -> NDArray[np.float64]:
        images = context.dataset.batch(context.rows[chosen]).images
        return reconstruction_error(images / np.float32(255), context.autoencoder.decode(context.encoded.z[chosen]))

    return np.concatenate([part(slice(start, start + CHUNK)) for start in range(0, len(context.rows), CHUNK)])


def of_images(autoencoder: Autoencoder, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The unlikeness [B] of images [B, H, W, C]."""
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    return np.concatenate(
        [
            reconstruction_error(chunk / np.float32(255), autoencoder.decode(autoencoder.encode(chunk).z))
            for chunk in chunks
        ]
    )


def strange(context: EvaluationContext) -> dict[str, NDArray[np.uint8]]:
    """Images that no one would take for the source's, by kind: noise, one even tone, photographs, two rows in one."""
    height, width, channels = shape = context.autoencoder.image_shape
    draw = np.random.default_rng(context.seed)
    tones = np.broadcast_to(draw.integers(0, 256, (STRANGE, 1, 1, channels), np.uint8), (STRANGE, *shape))
    first, second = (context.dataset.batch(draw.choice(context.rows, STRANGE)).images for _ in range(2))
    return {
        "noise": draw.integers(0, 256, (STRANGE, *shape), np.uint8),
        "blank": np.ascontiguousarray(tones),
        "photographs": _photographs(draw, height, width, channels),
        "two": np.maximum(first, second),
    }


def _photographs(draw: np.random.Generator, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Parts of the two photographs that scikit-learn comes with [N, H, W, C], of random place and size."""
    from sklearn.datasets import load_sample_images

    photographs = [Image.fromarray(each) for each in load_sample_images().images]
    mode = CHANNEL_MODES[channels]
    parts = []
    for _ in range(STRANGE):
        whole = photographs[draw.integers(len(photographs))]
        scale = draw.uniform(1, min(whole.width / width, whole.height / height))
        across, down = width * scale, height * scale
        x, y = draw.uniform(0, whole.width - across), draw.uniform(0, whole.height - down)
        part = whole.resize((width, height), box=(x, y, x + across, y + down)).convert(mode)
        parts.append(np.asarray(part).reshape(height, width, channels))
    return np.stack(parts)
