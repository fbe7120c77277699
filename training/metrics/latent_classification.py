"""What latent codes tell of the class, by a classifier trained on them (ananyahjha93/multi-level-vae).

A classifier d-256-256-K learns from codes of training images and is judged on codes of held-out ones, three ways:

* ``single``: each image's own posterior mean. Leaks nothing: all that is said of an image comes from the image.
* ``support``: images are told the class whose evidence, gathered from training images, is nearest to their own code.
* ``leaking``: the published protocol, to compare with only. Test images are grouped by their TEST labels, and get a
  sample of the group's evidence as code: even an untrained encoder scores high, as the code depends on the label.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from attributes import product_of_gaussians
from training.autoencoder import Encoded
from training.metrics.context import EvaluationContext, encode, labels_of

HIDDEN = (256, 256)
TRAIN_ROWS = 60_000
GROUP = 128
"""Images per group of the published protocol, about its batches'."""


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """``classification.class.single`` (also ``.support``, ``.leaking``) and ``classification.style.single`` of models
    with a group: of the group's codes and of all others; ``classification.codes.single`` of all others, for the data's
    first nominal attribute.
    """
    dataset, codebook = context.dataset, context.autoencoder.codebook
    nominal = [attribute for attribute in context.factors if attribute.kind == "nominal"]
    wanted = nominal[0].name if nominal else None
    if codebook.group is not None:
        wanted = codebook.group.attribute
    attributes = [attribute for attribute in context.factors if attribute.name == wanted]
    training = np.flatnonzero(~dataset.held_out)
    if not attributes or not len(training):
        return
    training = np.random.default_rng(context.seed).permutation(training)[:TRAIN_ROWS]
    learned, judged = encode(context.autoencoder, dataset, training), context.encoded
    (labels, known), (truth, sure) = (labels_of(dataset, rows, attributes) for rows in (training, context.rows))
    labels, truth = labels[known, 0], truth[sure, 0]
    learned, judged = (Encoded(*(array[kept] for array in each)) for each, kept in ((learned, known), (judged, sure)))
    if codebook.group is None:
        yield "classification.codes.single", accuracy(learned.mean, labels, judged.mean, truth, context.seed)
        return
    own, _ = codebook.grouped
    style = np.delete(np.arange(learned.mean.shape[1]), own)
    yield (
        "classification.class.single",
        accuracy(learned.mean[:, own], labels, judged.mean[:, own], truth, context.seed),
    )
    yield (
        "classification.style.single",
        accuracy(learned.mean[:, style], labels, judged.mean[:, style], truth, context.seed),
    )
    members = [labels == each for each in np.unique(labels)]
    gathered = [product_of_gaussians(learned.mean[rows, own], learned.logvar[rows, own])[0] for rows in members]
    yield "classification.class.support", nearest(judged.mean[:, own], np.stack(gathered), np.unique(labels), truth)
    draw = np.random.default_rng(context.seed)
    leaking = [
        leaked(each.mean[:, own], each.logvar[:, own], known, draw)
        for each, known in ((learned, labels), (judged, truth))
    ]
    yield "classification.class.leaking", accuracy(leaking[0], labels, leaking[1], truth, context.seed)


def accuracy(
    codes: NDArray[Any], labels: NDArray[Any], judged: NDArray[Any], truth: NDArray[Any], seed: int = 0
) -> float:
    """Of a classifier that learns codes [N, L] with labels [N], on others [M, L]; trained until its score on a tenth of
    the codes, held back, has not risen for 10 epochs.
    """
    network = MLPClassifier(HIDDEN, batch_size=256, early_stopping=True, max_iter=100, random_state=seed)
    model = make_pipeline(StandardScaler(), network)
    # matrices are so small that threads only wait for each other, and for whatever else the machine does
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(codes, labels).score(judged, truth))


def nearest(codes: NDArray[Any], centres: NDArray[Any], classes: NDArray[Any], truth: NDArray[Any]) -> float:
    """How often the nearest centre [K, L] of a code [N, L] is that of its class."""
    squares = ((codes[:, None] - centres) ** 2).sum(axis=2)
    return float((classes[squares.argmin(axis=1)] == truth).mean())


def leaked(
    mean: NDArray[Any], logvar: NDArray[Any], labels: NDArray[Any], draw: np.random.Generator
) -> NDArray[np.float64]:
    """Codes [N, L] that are samples of the evidence of groups of images with the same label."""
    codes = np.empty(mean.shape)
    order = draw.permutation(len(labels))
    for each in np.unique(labels):
        rows = order[labels[order] == each]
        for start in range(0, len(rows), GROUP):
            group = rows[start : start + GROUP]
            centre, spread = product_of_gaussians(mean[group], logvar[group])
            codes[group] = centre + draw.standard_normal(len(centre)) * np.exp(spread / 2)
    return codes
