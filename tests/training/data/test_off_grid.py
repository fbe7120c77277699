import numpy as np
import pytest

from training.data import open_dataset
from training.data.dataset import Batch
from training.data.dsprites_renderer import render
from training.data.off_grid import move_off_grid

DATASET = open_dataset("dsprites")


def draw() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def batch() -> Batch:
    return DATASET.batch(np.random.default_rng(0).choice(len(DATASET), 400, replace=False))


def test_the_moved_rows_show_what_their_weights_say(batch: Batch) -> None:
    moved = move_off_grid(DATASET, batch, 0.5, draw())
    fractional = np.flatnonzero((moved.targets != batch.targets).any(axis=1))
    assert 150 < len(fractional) < 250
    reading = DATASET.attributes.read(moved.targets[fractional].astype(np.float64))
    # of two neighbours alone the mean over a peak and both its sides is the position itself
    drawn = render(*reading.position.T) * 255
    different = (drawn != moved.images[fractional, ..., 0]).sum(axis=(1, 2))
    assert np.mean(different <= 1) > 0.99  # float32 weights put a corner on the other side of a pixel now and then


def test_every_row_stays_nearest_to_its_own_combination_and_keeps_its_shape(batch: Batch) -> None:
    moved = move_off_grid(DATASET, batch, 1.0, draw())
    for attribute in DATASET.attributes:
        columns = DATASET.attributes.columns(attribute.name)
        before = attribute.fold(batch.targets[:, columns].astype(np.float64)).argmax(axis=1)
        np.testing.assert_array_equal(attribute.fold(moved.targets[:, columns]).argmax(axis=1), before)
    shape = DATASET.attributes.columns("shape")
    np.testing.assert_array_equal(moved.targets[:, shape], batch.targets[:, shape])
    np.testing.assert_allclose(moved.targets.sum(axis=1), 5, atol=1e-5)


def test_the_same_draw_moves_the_same_rows_and_the_others_are_left_as_they_are(batch: Batch) -> None:
    once, again = (move_off_grid(DATASET, batch, 0.3, draw()) for _ in range(2))
    np.testing.assert_array_equal(once.images, again.images)
    np.testing.assert_array_equal(once.targets, again.targets)
    same = (once.targets == batch.targets).all(axis=1)
    np.testing.assert_array_equal(once.images[same], batch.images[same])


def test_rows_that_are_not_wholly_labelled_are_not_moved(batch: Batch) -> None:
    known = batch.known.copy()
    known[::2, 3] = False
    moved = move_off_grid(DATASET, batch._replace(known=known), 1.0, draw())
    np.testing.assert_array_equal(moved.images[::2], batch.images[::2])
    assert (moved.targets[1::2] != batch.targets[1::2]).any(axis=1).mean() > 0.9


class Undrawn:
    """A dataset whose rows are all that it has."""

    attributes = DATASET.attributes

    def render(self, _positions: object) -> None:
        return None


def test_a_dataset_that_can_not_draw_keeps_its_rows(batch: Batch) -> None:
    assert move_off_grid(Undrawn(), batch, 1.0, draw()) is batch  # type: ignore[arg-type]
