"""The training loop: steps, reports, checkpoints and resume."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from training.data.dataset import Batch, Dataset, Rows
from training.hardware import configure_torch
from training.inference import image_tensor
from training.latents import Targets
from training.losses import AdversarialLoss, ForwardOutput, Loss
from training.model import VAE, StepNoise
from training.recipe import Recipe
from training.runs import TRAIN_LOSS, VALIDATION_BCE, Checkpoint, HistoryRow, Run, RunError
from training.schedules import Progress, at
from training.trainer.fit_latents import ROWS, fit_latents, rows_to_fit
from training.trainer.initial_weights import load_matching_weights
from training.trainer.interrupt import Interrupted, StopRequest, stop_on_signals
from training.trainer.sampler import BatchLoader, BatchSampler

# Reports in a run, evenly spaced; each is one row of the history.
REPORTS = 20
VALIDATION_ROWS = 1024


class Reporter(Protocol):
    """What scores, draws and writes while a run is trained."""

    def opened(self, step: int) -> AbstractContextManager[None]:
        """Keep files open while the block runs; ``step`` is the one that the run goes on after."""

    def report(self, model: VAE, rows: Rows, row: HistoryRow) -> HistoryRow:
        """The row of the history with the model's scores on the validation rows [N].

        Raises FloatingPointError where the model's images are not finite.
        """

    def finish(self, model: VAE, rows: Rows, history: list[HistoryRow], *, changed: bool) -> None:
        """Show the finished model; ``changed``: whether this process has trained it."""


@dataclass
class TrainingState:
    """What changes from step to step, besides model and optimizer; the fields are those of a checkpoint."""

    steps: int
    step: int = 0
    seconds: float = 0.0
    epochs: list[float] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    history: list[HistoryRow] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether the last step is done."""
        return self.step == self.steps

    @property
    def progress(self) -> Progress:
        """The argument of all schedules."""
        return Progress(self.step, self.steps)


def train(run: Run, dataset: Dataset, reporter: Reporter, *, checkpoint_seconds: float = 60.0) -> None:
    """Train a run from its last checkpoint to its end.

    The weights at the end depend on the run's parameters alone, however often it was stopped or killed in between.
    Raises Interrupted after SIGINT or SIGTERM, with everything saved, and RunError where the run can't go on.
    """
    with run.lock(), stop_on_signals() as stop:
        try:
            Trainer(run, dataset).fit(reporter, stop, checkpoint_seconds)
        except FileNotFoundError:
            run.check_lock()
            raise


def train_steps(run: Run, dataset: Dataset) -> Iterator[None]:
    """Train a run step by step, without reports and checkpoints, to measure how fast it is."""
    trainer = Trainer(run, dataset)
    for batch in trainer.batches():
        trainer.training_step(batch)
        yield


class Trainer:
    """A run with its model, optimizer and batches. Raises RunError where the run can't be trained or resumed."""

    def __init__(self, run: Run, dataset: Dataset) -> None:
        self.run, self.dataset, self.parameters = run, dataset, run.parameters
        device, seed = self.parameters.device, self.parameters.seed
        configure_torch(device, threads=self.parameters.threads, deterministic=self.parameters.deterministic, seed=seed)
        self.model = run.build().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        rows = np.flatnonzero(~dataset.held_out)
        if not len(rows):
            raise RunError("the data has no rows to train on")
        batch_size = min(self.recipe.batch_size, len(rows))
        sampler = BatchSampler(rows, np.asarray(dataset.labelled[rows].any(axis=1)), batch_size, seed)
        self.loader = BatchLoader(dataset, sampler, self.recipe.off_grid_share, seed)
        self.state = TrainingState(steps=math.ceil(self.recipe.images / batch_size))
        self.validation_rows = validation_rows(dataset, self.state.steps * batch_size, seed)
        self.fit_rows = rows_to_fit(dataset, rows, seed, ROWS)
        self.optimizer = self.recipe.optimizer(self.model, torch.bfloat16 if self.bf16 else torch.float32)
        self.fitted_step = 0
        self._restore()

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model."""
        recipe: Recipe = self.model.recipe
        return recipe

    @property
    def bf16(self) -> bool:
        """Whether the networks compute in bf16."""
        return self.parameters.precision == "bf16"

    def _restore(self) -> None:
        """Go on from the last checkpoint, or begin with the weights of the run that ``init`` names."""
        checkpoint = self.run.checkpoint()
        if checkpoint is not None:
            self.run.save_history(checkpoint)  # a full disk may have had room for the checkpoint alone
            self.model.load_state_dict(self.run.restore(checkpoint).state_dict())
            self.optimizer.load_state_dict(checkpoint["optimizer"])
            self.state = TrainingState(
                # Those of the checkpoint may be fewer than are planned by now.
                steps=checkpoint["steps"] if self.run.ended_early(checkpoint) else self.state.steps,
                step=checkpoint["step"],
                seconds=checkpoint["seconds"],
                epochs=checkpoint["epochs"],
                sums=checkpoint["sums"],
                history=checkpoint["history"],
            )
        elif self.parameters.init is not None:
            load_matching_weights(self.model, self.parameters.init)

    def fit(self, reporter: Reporter, stop: StopRequest, checkpoint_seconds: float) -> None:
        """Train to the end; a request to ``stop`` ends it after a step with Interrupted."""
        state, batch_size = self.state, self.loader.sampler.batch_size
        first, reports = state.step, {round(state.steps * (i + 1) / REPORTS) for i in range(REPORTS)}
        started, saved = time.monotonic() - state.seconds, time.monotonic()
        total, initial = state.steps * batch_size, state.step * batch_size
        with reporter.opened(state.step), tqdm(total=total, initial=initial, unit=" images") as progress_bar:
            for batch in self.batches():
                self.training_step(batch)
                state.seconds = time.monotonic() - started
                progress_bar.update(batch_size)
                if self.recipe.plateau and state.step % self.loader.sampler.steps_per_epoch == 0:
                    self._end_epoch()
                if state.step in reports or state.finished:
                    self.run.check_lock()
                    progress_bar.set_postfix(self._report(reporter))
                if state.finished or stop.received or time.monotonic() - saved >= checkpoint_seconds:
                    self.run.check_lock()
                    self._save()
                    saved = time.monotonic()
                if state.finished:
                    break
                if stop.received:
                    raise Interrupted(state.step)
        reporter.finish(self.model, self.validation_rows, state.history, changed=state.step > first)

    def batches(self) -> Iterator[Batch]:
        """The batches of the steps that are still to be done."""
        return self.loader.batches(self.state.step, self.state.steps)

    def training_step(self, batch: Batch) -> None:
        """One step of the optimizer on a batch."""
        state = self.state
        factor = self.recipe.plateau(state.epochs)[0] if self.recipe.plateau else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = factor * self.recipe.learning_rate(state.progress)
        self.model.train()
        losses = self._losses(self._forward(batch, StepNoise(self.parameters.seed, state.step)))
        self.optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        for name, value in losses.items():
            state.sums[name] = state.sums.get(name, 0.0) + value.detach()
        state.sums["steps"] = state.sums.get("steps", torch.zeros(())) + 1
        state.step += 1

    def _forward(self, batch: Batch, noise: StepNoise) -> ForwardOutput:
        device = self.parameters.device
        images = image_tensor(batch.images, device)  # [B, C, H, W]
        weights, known = torch.from_numpy(batch.targets).to(device), torch.from_numpy(batch.known).to(device)
        with torch.autocast(device, torch.bfloat16, enabled=self.bf16):
            output: ForwardOutput = self.model(images, Targets(weights, known.float()), noise, self.state.progress)
        return output

    def _losses(self, output: ForwardOutput) -> dict[str, Tensor]:
        """The value of each loss of the recipe by its name, without its weight, and ``loss``, the weighted sum."""
        losses = self.recipe.losses
        values = [loss(output) for loss in losses]
        weighted = [at(loss.weight, output.progress) * value for loss, value in zip(losses, values, strict=True)]
        return {"loss": torch.stack(weighted).sum(), **dict(zip(map(column_name, losses), values, strict=True))}

    @torch.inference_mode()
    def _end_epoch(self) -> None:
        """Add the validation loss to those that the plateau judges by, and end the run if the plateau ends it."""
        state = self.state
        self.model.eval()
        output = self._forward(self.dataset.batch(self.validation_rows), StepNoise(self.parameters.seed, -1))
        state.epochs.append(float(self._losses(output)["loss"]))
        assert self.recipe.plateau is not None
        if self.recipe.plateau(state.epochs)[1]:
            state.steps = state.step

    def _fit_latents(self) -> None:
        """Fit what is computed from a trained encoder, once per step: on all rows at the end, before that on a few."""
        if self.fitted_step != self.state.step:
            count = ROWS if self.state.finished else 4 * len(self.validation_rows)
            fit_latents(self.model, self.dataset, self.fit_rows[:count], self.parameters.device)
            self.fitted_step = self.state.step

    def _report(self, reporter: Reporter) -> dict[str, str]:
        """Add a row to the history; returns what the progress bar shows of it."""
        state = self.state
        images = state.step * self.loader.sampler.batch_size
        row: HistoryRow = {"step": state.step, "images": images, "seconds": round(state.seconds, 1)}
        steps = float(state.sums.pop("steps"))
        row |= {f"train.{name}": float(total) / steps for name, total in state.sums.items()}
        state.sums = {}
        row |= {f"schedule.{name}": value for name, value in self._schedules().items()}
        if state.epochs:
            row["validation.loss"] = state.epochs[-1]
        self._fit_latents()
        try:
            row = reporter.report(self.model, self.validation_rows, row)
        except FloatingPointError:
            raise self._diverged() from None
        state.history.append(row)
        return {"loss": f"{row[TRAIN_LOSS]:.1f}", "nats": f"{row[VALIDATION_BCE]:.1f}"}

    def _schedules(self) -> dict[str, float]:
        """All scheduled values of this step: the learning rate, and weights and capacities of losses that change."""
        values = {"learning_rate": float(self.optimizer.param_groups[0]["lr"])}
        for loss in self.recipe.losses:
            scheduled = {key: value for key, value in vars(loss).items() if callable(value)}
            values |= {
                f"{column_name(loss)}.{key}": at(schedule, self.state.progress) for key, schedule in scheduled.items()
            }
        return values

    def _save(self) -> None:
        """Write a checkpoint, unless the weights are no longer finite: the last good checkpoint stays then."""
        if not all(bool(weights.isfinite().all()) for weights in self.model.parameters()):
            raise self._diverged()
        self._fit_latents()
        state = self.state
        self.run.save(
            Checkpoint(
                step=state.step,
                steps=state.steps,
                epochs=state.epochs,
                sums=state.sums,
                images=state.step * self.loader.sampler.batch_size,
                seconds=state.seconds,
                model=self.model.state_dict(),
                optimizer=self.optimizer.state_dict(),
                history=state.history,
            )
        )

    def _diverged(self) -> RunError:
        return RunError(
            f"{self.run.path}: diverged: no longer finite at step {self.state.step}, of which nothing is saved; "
            f"begin a new run with a lower learning_rate"
        )


def validation_rows(dataset: Dataset, images: int, seed: int) -> Rows:
    """The held-out rows [N] on which a run of ``images`` is scored in every report; of all rows, if none is held out.

    A short run has fewer of them, so that its reports take little of its time.
    """
    out = dataset.held_out
    count = min(VALIDATION_ROWS, max(16, images // REPORTS // 4))
    return np.random.default_rng(seed).permutation(np.flatnonzero(out) if out.any() else np.arange(len(out)))[:count]


def column_name(loss: Loss) -> str:
    """The name of a loss in the columns of the history."""
    # Run folders and published tables have always had this column under its short name.
    return "leak" if isinstance(loss, AdversarialLoss) else type(loss).__name__.lower()
