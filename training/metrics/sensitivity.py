"""First-order sensitivity (Sobol 1993): the share of the decoded image's variance that each latent explains alone.

Latents are drawn independently from their distribution on the data; the estimator is SciPy's (Saltelli et al. 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc, sobol_indices

from training.metrics.context import CHUNK, EvaluationContext

SAMPLES = 256  # a power of two, as Sobol's sequence needs; SAMPLES * (latents + 2) images are decoded
MAX_LATENTS = 32

# Pixels with less than this share of the largest variance change too rarely for a reliable estimate.
MIN_VARIANCE_SHARE = 1e-2


class Sensitivity(NamedTuple):
    """First-order indices, from 0 to 1 but for the estimator's error."""

    pixels: NDArray[np.float64]
    """[L, H, W, C]; 0 for a pixel that hardly changes."""
    overall: NDArray[np.float64]
    """[L]: the mean over pixels, weighted by their variance."""


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``sensitivity.NAME`` of each attribute with a single latent dimension."""
    found = latent_sensitivities(context)
    if found is not None:
        names, sensitivity = found
        for name, share in zip(names, sensitivity.overall, strict=True):
            yield f"sensitivity.{name}", float(share)


def latent_sensitivities(context: EvaluationContext) -> tuple[list[str], Sensitivity] | None:
    """Names and sensitivities of the attributes with a single latent dimension; the others keep their defaults.

    None if there are no such attributes, or more than ``MAX_LATENTS``.
    """
    codebook = context.autoencoder.codebook
    parts = [part for part in codebook.parts if part.stop == part.start + 1]
    if not 0 < len(parts) <= MAX_LATENTS:
        return None
    columns = [part.start for part in parts]
    default = codebook.place(codebook.attributes.weights({})[None])[0]  # [D]

    def decode(points: NDArray[np.float64]) -> NDArray[np.float64]:
        z = np.repeat(default[None], len(points), axis=0)
        z[:, columns] = points
        return np.asarray(context.autoencoder.decode(z), np.float64)

    sensitivity = first_order(decode, context.encoded.z[:, columns], context.seed)
    return [part.attribute for part in parts], sensitivity


def first_order(
    decode: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    data: NDArray[Any],
    seed: int,
    samples: int = SAMPLES,
) -> Sensitivity:
    """Sensitivity of ``decode``, which maps points [B, L] to images [B, ...], to each latent.

    The latents are independent of each other, each distributed as its column of ``data`` [N, L].
    """
    shares = qmc.Sobol(2 * data.shape[1], bits=64, rng=np.random.default_rng(seed)).random(samples)  # [S, 2 L]
    quantiles = [np.quantile(latent, share) for latent, share in zip([*data.T, *data.T], shares.T, strict=True)]
    a, b = np.reshape(quantiles, (2, data.shape[1], samples)).transpose(0, 2, 1)  # [S, L] each

    def images(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([decode(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)])

    def pixels(images: NDArray[np.float64]) -> NDArray[np.float64]:
        return images.reshape(len(images), -1).T  # [P, S]

    images_a = images(a)
    f_a, f_b = pixels(images_a), pixels(images(b))
    latents = np.arange(data.shape[1])
    f_ab = np.stack([pixels(images(np.where(latents == i, b, a))) for i in latents])  # [L, P, S], latent i from B
    found = sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": f_ab}, n=samples)
    variance = np.var(np.concatenate([f_a, f_b], axis=1), axis=1)  # [P]
    indices = np.where(
        variance[:, None] > max(MIN_VARIANCE_SHARE * variance.max(), 1e-12),
        found.first_order.reshape(len(variance), -1),
        0.0,
    )  # [P, L]
    overall = (indices * variance[:, None]).sum(axis=0) / max(variance.sum(), 1e-12)
    return Sensitivity(indices.T.reshape(-1, *images_a.shape[1:]), overall)
