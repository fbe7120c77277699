"""What a run shows while it is trained: validation scores, pictures and TensorBoard events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from training.atomic_files import naming
from training.data.dataset import Dataset, Rows
from training.inference import TorchAutoencoder
from training.metrics import score
from training.metrics.context import EvaluationContext
from training.model import VAE
from training.plots import draw
from training.plots.curves import CURVES, curves
from training.plots.pictures import COLUMNS, save
from training.plots.reconstructions import reconstructions
from training.plots.traversals import traversals
from training.runs import PICTURES, HistoryRow, Run
from training.trainer.tensorboard import event_writer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class RunReporter:
    """The reporter of a run: it writes into the run's folder."""

    def __init__(self, run: Run, dataset: Dataset) -> None:
        self._run, self._dataset, self._device = run, dataset, run.parameters.device
        self._pictures, self._tensorboard = run.path / PICTURES, run.path / "tensorboard"
        self._events: SummaryWriter | None = None

    @contextmanager
    def opened(self, step: int) -> Iterator[None]:
        """Write TensorBoard events while the block runs; ``step`` is the one that the run goes on after."""
        self._pictures.mkdir(exist_ok=True)
        with event_writer(self._tensorboard, step) as self._events:
            yield

    def report(self, model: VAE, rows: Rows, row: HistoryRow) -> HistoryRow:
        """The history's ``row`` with ``validation.*`` scores of the model on the dataset's ``rows`` [N].

        Draws reconstructions and traversals. Raises FloatingPointError where the model's images are not finite.
        """
        autoencoder = TorchAutoencoder(model, self._device)
        scores = score(autoencoder, self._dataset, rows)
        # A score counts only rows with a finite value.
        if not scores["reconstruction.bce"].rows:
            raise FloatingPointError("no reconstruction is finite")
        row = row | {f"validation.{name}": each.mean for name, each in scores.items() if each.rows}
        # finish() draws the curves last: they must be of this training.
        (self._pictures / CURVES).unlink(missing_ok=True)
        picture = reconstructions(autoencoder, self._dataset.batch(rows[:COLUMNS]), self._dataset.attributes)
        save(picture, self._pictures / "reconstructions.png")
        save(traversals(autoencoder), self._pictures / "traversals.png")
        if self._events is not None:
            step = int(row["step"])
            with naming(self._tensorboard):
                for name, value in row.items():
                    # The part before the first dot is the group in which TensorBoard shows it.
                    self._events.add_scalar(name.replace(".", "/", 1), value, step)
                self._events.add_image("reconstructions", np.atleast_3d(picture), step, dataformats="HWC")
                self._events.flush()
        return row

    def finish(self, model: VAE, rows: Rows, history: list[HistoryRow], *, changed: bool) -> None:
        """Draw all pictures of the finished model that apply to it, on the dataset's ``rows`` [N].

        A run that has not ``changed`` keeps its pictures, if they are complete.
        """
        # The curves are drawn last: if they are there, so are the others.
        if changed or not (self._pictures / CURVES).exists():
            context = EvaluationContext(TorchAutoencoder(model, self._device), self._dataset, rows)
            draw(context, self._pictures)
            save(curves({self._run.path.name: history}), self._pictures / CURVES)
