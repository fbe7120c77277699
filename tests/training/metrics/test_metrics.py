"""Metrics on codecs whose scores are known beforehand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attributes import Codebook, Part
from training.autoencoder import Encoded
from training.data.dataset import Batch, Rows
from training.data.dsprites import ATTRIBUTES, RenderedDSprites, classes_of
from training.metrics import interval, score

PARTS = tuple(Part(a.name, ATTRIBUTES.columns(a.name).start, ATTRIBUTES.columns(a.name).stop) for a in ATTRIBUTES)
FOLDING = np.eye(113, dtype=np.float32)
FOLDING[9 + 39] = FOLDING[9]  # orientation 39 is 0 again
ROWS = np.random.default_rng(0).integers(0, 737_280, 300)


class Oracle:
    """A codec that knows the source: encodes by looking the image up, decodes by rendering."""

    codebook = Codebook(ATTRIBUTES, PARTS, FOLDING, np.zeros(113, np.float32))
    image_shape = (64, 64, 1)

    def __init__(self, dataset: RenderedDSprites, rows: Rows) -> None:
        batch = dataset.batch(rows)
        self._weights = {image.tobytes(): target for image, target in zip(batch.images, batch.targets, strict=True)}
        placed = self.codebook.place(batch.targets)
        self._images = {z.tobytes(): image for image, z in zip(batch.images, placed, strict=True)}

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        return self._encoded(np.stack([self._weights[image.tobytes()] for image in images]))

    def _encoded(self, weights: NDArray[Any]) -> Encoded:
        z = self.codebook.place(weights)
        return Encoded(z, weights.astype(np.float32), z, np.zeros_like(z))

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        return np.stack([self._images[each.tobytes()] for each in z]).astype(np.float32) / 255


class Blank(Oracle):
    """Decodes to nothing, and always says the first class."""

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        return self._encoded(np.repeat(ATTRIBUTES.weights({a.name: 0 for a in ATTRIBUTES})[None], len(images), axis=0))

    def decode(self, z: NDArray[Any]) -> NDArray[np.float32]:
        return np.zeros((len(z), 64, 64, 1), np.float32)


def test_an_oracle_has_full_marks() -> None:
    dataset = RenderedDSprites()
    scores = score(Oracle(dataset, ROWS), dataset, ROWS)
    lost = {
        name: each.mean
        for name, each in scores.items()
        if name.startswith(("accuracy", "round_trip")) and each.mean < 1
    }
    assert lost == {}
    assert scores["decode.iou"].mean == scores["decode.exact"].mean == 1
    assert scores["decode.error"].mean == 0
    assert scores["reconstruction.bce"].mean < 0.01


def test_a_constant_guess_scores_the_share_of_that_class() -> None:
    dataset = RenderedDSprites()
    scores = score(Blank(dataset, ROWS), dataset, ROWS)
    classes = classes_of(ROWS)
    for i, attribute in enumerate(ATTRIBUTES):
        assert scores[f"accuracy.{attribute.name}"].mean == pytest.approx((classes[:, i] == 0).mean())
    merged = np.isin(classes[:, 2], (0, 39)).mean()
    assert scores["accuracy.orientation.merged"].mean == pytest.approx(merged)
    assert scores["decode.iou"].mean == scores["decode.exact"].mean == 0
    inked = dataset.batch(ROWS).images.mean() / 255
    assert scores["decode.error"].mean == pytest.approx(inked, rel=1e-5)


class HalfLabelled(RenderedDSprites):
    """Shape is known of the first rows only."""

    def batch(self, rows: Rows) -> Batch:
        batch = super().batch(rows)
        batch.known[:, 0] = rows < 1000
        return batch


def test_unlabelled_attributes_do_not_count() -> None:
    dataset, rows = HalfLabelled(), np.concatenate([np.arange(100), np.arange(500_000, 500_300)])
    scores = score(Blank(dataset, rows), dataset, rows)
    assert scores["accuracy.shape"].rows == 100
    assert scores["accuracy.shape"].mean == 1  # the first thousand are squares
    assert scores["accuracy.scale"].rows == 400
    assert scores["decode.iou"].rows == 100


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Wilson's interval of 8 of 10: from Brown, Cai and DasGupta 2001, and statsmodels' proportion_confint."""
    low, high = interval(np.array([1] * 8 + [0] * 2))[1:3]
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(5, 2, 10_000)
    score = interval(values)
    assert score.mean == pytest.approx(5, abs=0.1)
    assert score.high - score.low == pytest.approx(2 * 1.96 * 2 / 100, rel=0.05)


def test_no_values_give_no_mean() -> None:
    assert interval(np.array([np.nan])).rows == 0
