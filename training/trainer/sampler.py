"""Which rows each training step sees, and the batches of these rows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Batch, Dataset, Rows
from training.data.off_grid import move_off_grid

# The smallest share of labelled images in a batch, if the data has any labels.
LABELLED_SHARE = 0.25


class BatchSampler:
    """The rows of each step: every epoch is a permutation that depends on seed and epoch alone.

    ``labelled`` [N] says which of the ``rows`` [N] have a label. If these are fewer than ``LABELLED_SHARE``, the first
    rows of every batch, that share of it, are drawn from the labelled rows only, over and over. So few labels are not
    lost among many images without labels.
    """

    def __init__(self, rows: Rows, labelled: NDArray[np.bool_], batch_size: int, seed: int) -> None:
        few = 0 < labelled.mean() < LABELLED_SHARE
        count = min(int(LABELLED_SHARE * batch_size), int(labelled.sum())) if few else 0
        self.batch_size = batch_size
        self._labelled = Permutations(rows[labelled], count, [seed, 1]) if count else None
        self._all = Permutations(rows, batch_size - count, [seed])

    @property
    def steps_per_epoch(self) -> int:
        """Steps after which every row was drawn once, but for a rest that is smaller than a batch."""
        return self._all.steps

    def rows(self, step: int) -> Rows:
        """The rows [B] of a step."""
        every = self._all.rows(step)
        return every if self._labelled is None else np.concatenate([self._labelled.rows(step), every])


class Permutations:
    """``count`` rows per step, from one random permutation of all ``rows`` after the other."""

    def __init__(self, rows: Rows, count: int, seed: list[int]) -> None:
        self._rows, self._count, self._seed = rows, count, seed
        self._epoch, self._permuted = -1, rows
        self.steps = len(rows) // count

    def rows(self, step: int) -> Rows:
        """The rows [count] of a step."""
        epoch, index = divmod(step, self.steps)
        if epoch != self._epoch:
            self._permuted = np.random.default_rng([*self._seed, epoch]).permutation(self._rows)
            self._epoch = epoch
        return self._permuted[index * self._count : (index + 1) * self._count]


class BatchLoader:
    """The batches of a run; ``off_grid_share`` of their images are drawn between grid values, where the data can."""

    def __init__(self, dataset: Dataset, sampler: BatchSampler, off_grid_share: float, seed: int) -> None:
        self._dataset, self.sampler, self._off_grid_share, self._seed = dataset, sampler, off_grid_share, seed

    def batches(self, first: int, stop: int) -> Iterator[Batch]:
        """The batches of the steps from ``first`` to before ``stop``.

        Each is drawn in a thread while the one before it is trained on.
        """
        with ThreadPoolExecutor(1) as thread:
            upcoming = thread.submit(self.batch, first)
            for step in range(first, stop):
                batch = upcoming.result()
                if step + 1 < stop:
                    upcoming = thread.submit(self.batch, step + 1)
                yield batch

    def batch(self, step: int) -> Batch:
        """The batch of a step, which depends on seed and step alone."""
        batch = self._dataset.batch(self.sampler.rows(step))
        if not self._off_grid_share:
            return batch
        return move_off_grid(self._dataset, batch, self._off_grid_share, np.random.default_rng([self._seed, step]))
