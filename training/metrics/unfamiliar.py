"""Novelty detection: how often an image counts as unlike the training data, for images that are and that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attributes import CHANNEL_MODES, is_unfamiliar, reconstruction_error
from training.autoencoder import Autoencoder
from training.metrics.context import CHUNK, EvaluationContext

IMAGES_PER_KIND = 1_000

Number = TypeVar("Number", bound=np.generic)
# From images and reconstructions [B, H, W, C] in 0..1 to a value of each image [B].
Measure: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], NDArray[Number]]


def compute(context: EvaluationContext) -> Iterator[tuple[str, NDArray[Any]]]:
    """``unfamiliar.rows`` [N], which are false alarms, and ``unfamiliar.KIND`` of each kind of foreign images.

    Only bundles have a threshold; nothing for runs.
    """
    threshold = context.autoencoder.unfamiliar
    if threshold is None:
        return

    def judge(images: NDArray[Any], reconstructions: NDArray[Any]) -> NDArray[np.bool_]:
        return is_unfamiliar(images.transpose(0, 3, 1, 2), reconstructions.transpose(0, 3, 1, 2), threshold)

    yield "unfamiliar.rows", _of_rows(context, judge)
    for kind, images in out_of_distribution_images(context).items():
        yield f"unfamiliar.{kind}", _of_images(context.autoencoder, images, judge)


def errors_of_rows(context: EvaluationContext) -> NDArray[np.float64]:
    """The reconstruction error [N] of the context's rows."""
    return _of_rows(context, reconstruction_error)


def _of_rows(context: EvaluationContext, measure: Measure[Number]) -> NDArray[Number]:
    """The measure [N] of the context's rows."""

    def part(chunk: slice) -> NDArray[Number]:
        images = context.dataset.batch(context.rows[chunk]).images
        return measure(images / np.float32(255), context.autoencoder.decode(context.encoded.z[chunk]))

    return np.concatenate([part(slice(start, start + CHUNK)) for start in range(0, len(context.rows), CHUNK)])


def _of_images(autoencoder: Autoencoder, images: NDArray[np.uint8], measure: Measure[Number]) -> NDArray[Number]:
    """The measure [B] of images [B, H, W, C]."""
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    return np.concatenate(
        [measure(chunk / np.float32(255), autoencoder.decode(autoencoder.encode(chunk).z)) for chunk in chunks]
    )


def out_of_distribution_images(context: EvaluationContext) -> dict[str, NDArray[np.uint8]]:
    """``IMAGES_PER_KIND`` images [N, H, W, C] of each kind that no data set has.

    ``noise``; ``blank``, one colour; ``faint``, an image of the data with a contrast of 1 to 8 grey levels, brighter
    than black or than one colour in turns; ``photographs``; ``two``, the maximum of two images of the data.
    """
    count, shape = IMAGES_PER_KIND, context.autoencoder.image_shape
    rng = np.random.default_rng(context.seed)
    colours = np.broadcast_to(rng.integers(0, 256, (count, 1, 1, shape[2]), np.uint8), (count, *shape))
    first, second, third = (context.dataset.batch(rng.choice(context.rows, count)).images for _ in range(3))
    contrast = rng.integers(1, 9, (count, 1, 1, 1))
    below = np.minimum(colours, 255 - contrast) * (np.arange(count) % 2)[:, None, None, None]
    return {
        "noise": rng.integers(0, 256, (count, *shape), np.uint8),
        "blank": np.ascontiguousarray(colours),
        "faint": (below + np.rint(third / 255 * contrast)).astype(np.uint8),
        "photographs": _photographs(rng, *shape),
        "two": np.maximum(first, second),
    }


def _photographs(rng: np.random.Generator, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Crops [N, H, W, C] of the two photographs that come with scikit-learn, of random position and size."""
    from sklearn.datasets import load_sample_images  # slow, and needed by this metric only

    photographs = [Image.fromarray(each) for each in load_sample_images().images]
    crops = []
    for _ in range(IMAGES_PER_KIND):
        photograph = photographs[rng.integers(len(photographs))]
        scale = rng.uniform(1, min(photograph.width / width, photograph.height / height))
        across, down = width * scale, height * scale
        x, y = rng.uniform(0, photograph.width - across), rng.uniform(0, photograph.height - down)
        crop = photograph.resize((width, height), box=(x, y, x + across, y + down)).convert(CHANNEL_MODES[channels])
        crops.append(np.asarray(crop).reshape(height, width, channels))
    return np.stack(crops)
