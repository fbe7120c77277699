import numpy as np

from tests.support import DatasetView
from training.data import open_dataset
from training.data.dataset import Batch, Rows
from training.trainer.sampler import BatchLoader, BatchSampler


def test_held_out_rows_are_never_drawn() -> None:
    dataset = open_dataset("dsprites")
    out = dataset.held_out
    rows = (~out).nonzero()[0]
    sampler = BatchSampler(rows, np.ones(len(rows), np.bool_), 1000, seed=0)
    drawn = [sampler.rows(step) for step in (0, 1, 700)]
    assert not any(out[rows].any() for rows in drawn)
    assert not set(drawn[0]) & set(drawn[1])


def test_an_epoch_shows_every_row_once() -> None:
    rows = (~open_dataset("dsprites").held_out).nonzero()[0][:100]
    sampler = BatchSampler(rows, np.ones(100, np.bool_), 20, seed=3)
    assert sampler.steps_per_epoch == 5
    assert sorted(row for step in range(5) for row in sampler.rows(step)) == sorted(rows)
    assert [*sampler.rows(0)] != [*sampler.rows(5)]


def test_few_labelled_rows_are_a_quarter_of_every_batch() -> None:
    rows, labelled = np.arange(1000), np.arange(1000) < 10
    sampler = BatchSampler(rows, labelled, 20, seed=3)
    batches = [sampler.rows(step) for step in range(sampler.steps_per_epoch)]
    assert all((batch[:5] < 10).all() for batch in batches)
    assert sorted(np.concatenate([batch[:5] for batch in batches[:2]])) == [*range(10)]
    assert len(set(np.concatenate([batch[5:] for batch in batches]))) == sampler.steps_per_epoch * 15


def test_a_single_labelled_row_is_in_every_batch() -> None:
    sampler = BatchSampler(np.arange(100), np.arange(100) == 42, 20, seed=0)
    assert [sampler.rows(step)[0] for step in range(4)] == [42] * 4


def test_a_batch_depends_on_seed_and_step_alone_wherever_the_run_begins() -> None:
    dataset = open_dataset("dsprites")
    rows = np.arange(1000)

    def loader(seed: int) -> BatchLoader:
        return BatchLoader(dataset, BatchSampler(rows, np.ones(1000, np.bool_), 64, seed), 0.5, seed)

    whole = list(loader(0).batches(0, 6))
    resumed = list(loader(0).batches(4, 6))
    for batch, again in zip(whole[4:], resumed, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(batch, again, strict=True))
    assert not np.array_equal(whole[0].images, loader(1).batch(0).images)


def test_a_share_of_the_images_is_moved_off_the_grid() -> None:
    dataset = open_dataset("dsprites")
    sampler = BatchSampler(np.arange(1000), np.ones(1000, np.bool_), 500, seed=0)
    on_grid, moved = (BatchLoader(dataset, sampler, share, seed=0).batch(0) for share in (0.0, 0.5))
    assert 0.4 < (on_grid.targets != moved.targets).any(axis=1).mean() < 0.6
    assert np.array_equal(on_grid.images, dataset.batch(sampler.rows(0)).images)


class Counted(DatasetView):
    """dSprites that count the batches that were drawn."""

    drawn = 0

    def batch(self, rows: Rows) -> Batch:
        self.drawn += 1
        return super().batch(rows)


def test_no_batch_is_drawn_after_the_last_one() -> None:
    dataset = Counted(open_dataset("dsprites"))
    sampler = BatchSampler(np.arange(1000), np.ones(1000, np.bool_), 10, seed=0)
    assert len(list(BatchLoader(dataset, sampler, 0.0, seed=0).batches(2, 5))) == 3
    assert dataset.drawn == 3
