"""What is computed from a trained encoder: where classes lie, how far latents reach, which factor each follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.chunks import chunks
from training.data.dataset import Dataset, Rows
from training.data.off_grid import move_off_grid
from training.inference import image_tensor
from training.latents import Posterior, Targets, Unsupervised
from training.model import VAE

# Rows on which a finished model is fitted.
ROWS = 10_000
CHUNK = 512
# The share of a latent's variance that a factor must explain, so that the latent is named after it.
NAMING_SHARE = 0.5
# From this mean posterior variance on, a latent carries no information: its means hardly move. The prior has 1.
IDLE_VARIANCE = 0.5


def rows_to_fit(dataset: Dataset, rows: Rows, seed: int, count: int) -> Rows:
    """At most ``count`` of the ``rows`` [N] that are trained on; only labelled ones, if there are any."""
    labelled = rows[dataset.labelled[rows].any(axis=1)]
    return np.random.default_rng(seed).permutation(labelled if len(labelled) else rows)[:count]


@torch.inference_mode()
def fit_latents(model: VAE, dataset: Dataset, rows: Rows, device: str) -> None:
    """Fit centroids, temperatures, ranges and names of latents on rows [N] that are trained on.

    As in training, some of the images are moved off the grid. A model without such latents is left as it is.
    """
    if not model.space.needs_fit:
        return
    model.eval()
    rng, share = np.random.default_rng(0), model.recipe.off_grid_share
    posteriors, weights, known = [], [], []
    for chunk in chunks(rows, CHUNK):
        batch = move_off_grid(dataset, dataset.batch(chunk), share, rng)
        targets = Targets(torch.from_numpy(batch.targets).to(device), torch.from_numpy(batch.known).float().to(device))
        posteriors.append(model.posterior(image_tensor(batch.images, device), targets))
        weights.append(targets.weights)
        known.append(targets.known)
    targets = Targets(torch.cat(weights), torch.cat(known))  # [N, sum K], [N, A]
    q = Posterior(*(torch.cat(parts) for parts in zip(*posteriors, strict=True)))
    model.space.fit(q, targets)
    name_latents(model, q, targets)


def name_latents(model: VAE, q: Posterior, targets: Targets) -> None:
    """Name each unsupervised latent after the factor that explains most of its variance, if one does."""
    attributes = [each for each in model.space.attributes if each.kind != "continuous"]
    index = [model.space.attributes.index(each) for each in attributes]
    complete = targets.known[:, index].bool().all(dim=1)  # [N]
    if not attributes or not complete.any():
        return
    columns = [model.space.attributes.columns(each.name) for each in attributes]
    factors = np.stack([targets.weights[complete][:, c].argmax(dim=1).cpu().numpy() for c in columns], axis=1)  # [N, F]
    first = 0
    for latent in model.space.each():
        if isinstance(latent, Unsupervised):
            codes = q.mean[complete][:, first : first + latent.codes].cpu().numpy()  # [N, L]
            shares = np.stack([eta_squared(codes, factor) for factor in factors.T])  # [F, L]
            variance = q.logvar[:, first : first + latent.codes].exp().mean(dim=0).cpu().numpy()  # [L]
            shares *= variance < IDLE_VARIANCE
            best = zip(shares.argmax(axis=0), shares.max(axis=0), strict=True)
            latent.follows = tuple(attributes[i].name if share > NAMING_SHARE else None for i, share in best)
        first += latent.codes


def eta_squared(codes: NDArray[Any], factor: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """The share of each code's variance [L] that a factor explains, by the law of total variance.

    ``codes`` [N, L]; ``factor`` [N], classes. The share is 0 for a code that is constant.
    """
    codes = codes.astype(np.float64)
    count = np.maximum(np.bincount(factor), 1)  # [K]
    sums = np.stack([np.bincount(factor, code) for code in codes.T], axis=1)  # [K, L]
    between = (sums**2 / count[:, None]).sum(axis=0) / len(codes) - codes.mean(axis=0) ** 2  # [L]
    total = codes.var(axis=0)  # [L]
    shares: NDArray[np.float64] = np.divide(between, total, out=np.zeros_like(total), where=total > 1e-12)
    return shares
