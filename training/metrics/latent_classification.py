"""How well the class can be predicted from latent codes, by a classifier (ananyahjha93/multi-level-vae).

A classifier d-256-256-K is trained on codes of training images and tested on codes of held-out images, in three ways:

* ``single``: the code is each image's own posterior mean. Nothing leaks: the code comes from the image alone.
* ``support``: no classifier. An image gets the class whose evidence, from training images, is nearest to its code.
* ``leaking``: the published protocol, for comparison only. Test images are grouped by their TEST labels, and a code is
  a sample of the group's evidence. It depends on the label, so even an untrained encoder scores high.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from attributes import Attribute, product_of_gaussians
from training.autoencoder import Encoded
from training.metrics.context import EvaluationContext, encode, target_classes

HIDDEN = (256, 256)
TRAIN_ROWS = 60_000
GROUP = 128  # images per group of the published protocol, about its batch size


class LabelledPosteriors(NamedTuple):
    """Posteriors of N images and their classes."""

    mean: NDArray[Any]
    """[N, L]."""
    logvar: NDArray[Any]
    """[N, L]."""
    classes: NDArray[np.intp]
    """[N]."""

    def select(self, codes: slice | NDArray[np.intp]) -> LabelledPosteriors:
        """These codes only."""
        return self._replace(mean=self.mean[:, codes], logvar=self.logvar[:, codes])


def compute(context: EvaluationContext) -> Iterator[tuple[str, float]]:
    """Accuracies on held-out images.

    Of models with a group: ``classification.class.single``, ``.support`` and ``.leaking`` from the group's codes, and
    ``classification.style.single`` from all other codes. Of other models: ``classification.codes.single`` from all
    codes, for the data's first nominal attribute.
    """
    codebook, seed = context.autoencoder.codebook, context.seed
    attribute = _attribute(context)
    training_rows = np.flatnonzero(~context.dataset.held_out)
    if attribute is None or not len(training_rows):
        return
    training_rows = np.random.default_rng(seed).permutation(training_rows)[:TRAIN_ROWS]
    train = _labelled(context, training_rows, encode(context.autoencoder, context.dataset, training_rows), attribute)
    test = _labelled(context, context.rows, context.encoded, attribute)
    if codebook.group is None:
        yield "classification.codes.single", classifier_accuracy(*_single(train, test), seed)
        return
    group, _ = codebook.grouped
    style = np.delete(np.arange(train.mean.shape[1]), group)
    train_group, test_group = train.select(group), test.select(group)
    yield "classification.class.single", classifier_accuracy(*_single(train_group, test_group), seed)
    yield "classification.style.single", classifier_accuracy(*_single(train.select(style), test.select(style)), seed)
    yield "classification.class.support", _support_accuracy(train_group, test_group)
    rng = np.random.default_rng(seed)
    leaking = [leaking_codes(*each, rng) for each in (train_group, test_group)]
    accuracy = classifier_accuracy(leaking[0], train.classes, leaking[1], test.classes, seed)
    yield "classification.class.leaking", accuracy


def _attribute(context: EvaluationContext) -> Attribute | None:
    """The attribute whose classes are predicted: the group's, else the first nominal one."""
    group = context.autoencoder.codebook.group
    for attribute in context.factor_attributes:
        if attribute.name == group.attribute if group is not None else attribute.kind == "nominal":
            return attribute
    return None


def _labelled(
    context: EvaluationContext, rows: NDArray[Any], encoded: Encoded, attribute: Attribute
) -> LabelledPosteriors:
    """The codes of those rows where the attribute is labelled."""
    classes, known = target_classes(context.dataset, rows, [attribute])
    return LabelledPosteriors(encoded.mean[known], encoded.logvar[known], classes[known, 0])


def _single(
    train: LabelledPosteriors, test: LabelledPosteriors
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any], NDArray[np.intp]]:
    return train.mean, train.classes, test.mean, test.classes


def classifier_accuracy(
    codes: NDArray[Any], classes: NDArray[Any], test_codes: NDArray[Any], test_classes: NDArray[Any], seed: int = 0
) -> float:
    """Accuracy on test codes [M, L] and classes [M] of a classifier trained on codes [N, L] and classes [N].

    Training ends when the score on a tenth of the training codes, held back, has not risen for 10 epochs.
    """
    network = MLPClassifier(HIDDEN, batch_size=256, early_stopping=True, max_iter=100, random_state=seed)
    model = make_pipeline(StandardScaler(), network)
    # The matrices are so small that several threads only wait for each other and for other work of the machine.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(codes, classes).score(test_codes, test_classes))


def _support_accuracy(train: LabelledPosteriors, test: LabelledPosteriors) -> float:
    """Accuracy of the nearest evidence, which is gathered from all training images of a class."""
    classes = np.unique(train.classes)
    members = [train.classes == each for each in classes]
    evidence = [product_of_gaussians(train.mean[rows], train.logvar[rows])[0] for rows in members]
    return nearest_centre_accuracy(test.mean, np.stack(evidence), classes, test.classes)


def nearest_centre_accuracy(
    codes: NDArray[Any], centres: NDArray[Any], classes: NDArray[Any], test_classes: NDArray[Any]
) -> float:
    """How often the centre nearest to a code [N, L] is that of its class; centres [K, L] are of ``classes`` [K]."""
    squares = ((codes[:, None] - centres) ** 2).sum(axis=2)  # [N, K]
    return float((classes[squares.argmin(axis=1)] == test_classes).mean())


def leaking_codes(
    mean: NDArray[Any], logvar: NDArray[Any], classes: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Codes [N, L]: a sample of the evidence of a group of images with the same class, the same for its images."""
    codes = np.empty(mean.shape)
    order = rng.permutation(len(classes))
    for each in np.unique(classes):
        rows = order[classes[order] == each]
        for start in range(0, len(rows), GROUP):
            group = rows[start : start + GROUP]
            centre, log_variance = product_of_gaussians(mean[group], logvar[group])
            codes[group] = centre + rng.standard_normal(len(centre)) * np.exp(log_variance / 2)
    return codes
