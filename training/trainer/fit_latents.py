"""What only a trained encoder can tell: where classes sit, how far latents reach, which factor each follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.dataset import Dataset, Rows
from training.data.off_grid import between
from training.inference import image_tensor
from training.latents import Posterior, Targets, Unsupervised
from training.metrics.latents import IDLE
from training.model import VAE

ROWS = 10_000
CHUNK = 512
MOST = 0.5
"""Share of a latent's variance that a factor must explain to give it its name."""


def measuring_rows(dataset: Dataset, rows: Rows, seed: int, count: int) -> Rows:
    """At most ``count`` of the rows that are trained on; labelled ones where there are any."""
    labelled = rows[dataset.labelled[rows].any(axis=1)]
    return np.random.default_rng(seed).permutation(labelled if len(labelled) else rows)[:count]


@torch.inference_mode()
def measure(model: VAE, dataset: Dataset, rows: Rows, device: str) -> None:
    """Settle the model's measured parts on rows of the training data, some moved off the grid as in training."""
    if not model.space.needs_fit:
        return
    model.eval()
    draw, share = np.random.default_rng(0), model.recipe.off_grid_share
    posteriors, targets, known = [], [], []
    for start in range(0, len(rows), CHUNK):
        batch = between(dataset, dataset.batch(rows[start : start + CHUNK]), share, draw)
        labels = Targets(torch.from_numpy(batch.targets).to(device), torch.from_numpy(batch.known).float().to(device))
        posteriors.append(model.posterior(image_tensor(batch.images, device), labels))
        targets.append(labels.weights)
        known.append(labels.known)
    labels = Targets(torch.cat(targets), torch.cat(known))
    q = Posterior(*(torch.cat(parts) for parts in zip(*posteriors, strict=True)))
    model.space.fit(q, labels)
    _name(model, q, labels)


def _name(model: VAE, q: Posterior, labels: Targets) -> None:
    """Name each free latent after the factor that explains most of it, if one does."""
    attributes = [each for each in model.space.attributes if each.kind != "continuous"]
    index = [model.space.attributes.index(each) for each in attributes]
    complete = labels.known[:, index].bool().all(dim=1)
    if not attributes or not complete.any():
        return
    columns = [model.space.attributes.columns(each.name) for each in attributes]
    factors = np.stack([labels.weights[complete][:, c].argmax(dim=1).cpu().numpy() for c in columns], axis=1)
    first = 0
    for latent in model.space.each():
        if isinstance(latent, Unsupervised):
            codes = q.mean[complete][:, first : first + latent.codes].cpu().numpy()
            shares = np.stack([eta_squared(codes, factor) for factor in factors.T])  # [F, L]
            shares *= q.logvar[:, first : first + latent.codes].exp().mean(dim=0).cpu().numpy() < IDLE
            best = zip(shares.argmax(axis=0), shares.max(axis=0), strict=True)
            latent.follows = tuple(attributes[i].name if share > MOST else None for i, share in best)
        first += latent.codes


def eta_squared(codes: NDArray[Any], factor: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Share of each code's variance [L] that the factor's class explains: eta^2, by the law of total variance.

    ``codes`` [N, L], ``factor`` [N]; 0 for a code that is constant.
    """
    codes = codes.astype(np.float64)
    count = np.maximum(np.bincount(factor), 1)
    sums = np.stack([np.bincount(factor, code) for code in codes.T], axis=1)  # [K, L]
    between = (sums**2 / count[:, None]).sum(axis=0) / len(codes) - codes.mean(axis=0) ** 2
    total = codes.var(axis=0)
    shares: NDArray[np.float64] = np.divide(between, total, out=np.zeros_like(total), where=total > 1e-12)
    return shares
