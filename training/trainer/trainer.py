"""The training loop: precision, devices, checkpoints, resume, progress."""

from __future__ import annotations

import ctypes
import math
import os
import platform
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from training.data.dataset import Batch, Dataset, Rows
from training.data.off_grid import between
from training.inference import TorchAutoencoder, pixels
from training.latents.space import Labels
from training.losses import ForwardOutput, Loss
from training.metrics import score
from training.metrics.context import EvaluationContext
from training.model import VAE, StepNoise
from training.plots import draw
from training.plots.canvas import COLUMNS, save
from training.plots.curves import CURVES, curves
from training.plots.reconstructions import reconstructions
from training.plots.traversals import traversals
from training.runs import PICTURES, Run, RunError
from training.schedules import Progress, at
from training.trainer.fit_latents import ROWS, measure, measuring_rows

REPORTS = 20
VALIDATION_ROWS = 1024
LABELLED_SHARE = 0.25
"""Least share of labelled images in every batch, however few there are in all."""


class Interrupted(Exception):
    """Training was asked to stop; everything up to ``step`` is saved."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped at step {step}")
        self.step = step


def resolve_device(name: str) -> str:
    """``cpu`` or ``cuda`` for auto, cpu or cuda; raises RunError where cuda can't be had."""
    if name == "cuda" and not torch.cuda.is_available():
        raise RunError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def best_precision(device: str) -> str:
    """bf16 where the hardware computes in it, else fp32."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if {"avx512_bf16", "amx_bf16"} & {*cpu_field("flags").split()} else "fp32"


def hardware(device: str) -> str:
    """The name of the processor that trains."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return cpu_field("model name") or platform.processor() or platform.machine()


def cpu_field(name: str) -> str:
    """A field of the first processor in /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def train(run: Run, dataset: Dataset, *, checkpoint_seconds: float = 60.0) -> None:
    """Train a run from its last checkpoint to its end.

    The weights at the end depend on the run's parameters alone, however often it was stopped or killed in between.
    Raises Interrupted after SIGINT or SIGTERM, with everything saved, and RunError where the run can't go on.
    """
    with run.lock(), _stop_requested() as stop:
        _Trainer(run, dataset).go(stop, checkpoint_seconds)


def steps(run: Run, dataset: Dataset) -> Iterator[None]:
    """Train a run step by step, with nothing reported or saved: for measuring how fast it is."""
    trainer = _Trainer(run, dataset)
    for batch in trainer.batches():
        trainer.take(batch)
        yield


class _Trainer:
    def __init__(self, run: Run, dataset: Dataset) -> None:
        parameters = run.parameters
        self.run, self.dataset, self.seed = run, dataset, parameters.seed
        self.device, self.bf16 = parameters.device, parameters.precision == "bf16"
        torch.set_num_threads(parameters.threads)
        if self.device == "cpu" or parameters.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
            # nothing here reads fresh memory, and to fill it takes time
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        if self.device == "cpu":
            _keep_freed_memory()
        torch.manual_seed(self.seed)
        self.model = run.build().to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = self.model.recipe
        out = dataset.held_out
        self.rows = np.flatnonzero(~out)
        if not len(self.rows):
            raise RunError("the data has no rows to train on")
        self.batch_size = min(self.recipe.batch_size, len(self.rows))
        self.order = BatchSampler(
            self.rows, np.asarray(dataset.labelled[self.rows].any(axis=1)), self.batch_size, self.seed
        )
        self.steps = math.ceil(self.recipe.images / self.batch_size)
        # so few that scoring them takes little of the time between two reports
        count = min(VALIDATION_ROWS, max(16, self.steps * self.batch_size // REPORTS // 4))
        chosen = np.random.default_rng(self.seed).permutation(np.flatnonzero(out) if out.any() else self.rows)
        self.validation = chosen[:count]
        self.measuring = measuring_rows(dataset, self.rows, self.seed, ROWS)
        self.optimizer = self.recipe.optimizer(self.model, torch.bfloat16 if self.bf16 else torch.float32)
        self.step, self.seconds, self.history = 0, 0.0, list[dict[str, Any]]()
        self.sums, self.epochs = dict[str, torch.Tensor](), list[float]()
        self.measured = 0
        self._restore(parameters.init)

    def _restore(self, init: str | None) -> None:
        checkpoint = self.run.checkpoint()
        if checkpoint is not None:
            self.model.load_state_dict(self.run.restore(checkpoint).state_dict())
            self.optimizer.load_state_dict(checkpoint["optimizer"])
            self.step, self.steps, self.seconds = checkpoint["step"], checkpoint["steps"], checkpoint["seconds"]
            self.history, self.epochs, self.sums = checkpoint["history"], checkpoint["epochs"], checkpoint["sums"]
        elif init is not None:
            load_matching_weights(self.model, init)

    def go(self, stop: list[bool], checkpoint_seconds: float) -> None:
        reports = {round(self.steps * (i + 1) / REPORTS) for i in range(REPORTS)}
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        begun = self.step
        with (
            _board(self.run, self.step) as board,
            tqdm(total=self.steps * self.batch_size, initial=self.step * self.batch_size, unit=" images") as progress,
        ):
            for batch in self.batches():
                self.take(batch)
                self.seconds = time.monotonic() - started
                progress.update(self.batch_size)
                if self.recipe.plateau and self.step % self.order.steps == 0:
                    self._end_epoch()
                if self.step in reports or self.step == self.steps:
                    progress.set_postfix(self._report(board))
                if self.step == self.steps or stop or time.monotonic() - saved >= checkpoint_seconds:
                    self._save()
                    saved = time.monotonic()
                if self.step == self.steps:
                    break
                if stop:
                    raise Interrupted(self.step)
        if self.step > begun or not (self.run.path / PICTURES / CURVES).exists():
            self._draw()

    def batches(self) -> Iterator[Batch]:
        """The batches still to come, each drawn in a thread while the one before it is trained on."""
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._batch, self.step)
            for step in range(self.step, self.steps):
                batch = coming.result()
                if step + 1 < self.steps:
                    coming = ahead.submit(self._batch, step + 1)
                yield batch

    def _batch(self, step: int) -> Batch:
        """The batch of a step, some of it between grid values where the recipe says so."""
        batch, share = self.dataset.batch(self.order(step)), self.recipe.off_grid_share
        return between(self.dataset, batch, share, np.random.default_rng([self.seed, step])) if share else batch

    def take(self, batch: Batch) -> None:
        """One step on a batch."""
        factor = self.recipe.plateau(self.epochs)[0] if self.recipe.plateau else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = factor * self.recipe.learning_rate(self.progress)
        self.model.train()
        losses = self._losses(self._pass(batch, self.progress, StepNoise(self.seed, self.step)))
        self.optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()
        self.sums["steps"] = self.sums.get("steps", torch.zeros(())) + 1
        self.step += 1

    @property
    def progress(self) -> Progress:
        return Progress(self.step, self.steps)

    def _pass(self, batch: Batch, progress: Progress, noise: StepNoise) -> ForwardOutput:
        images = pixels(batch.images, self.device)
        targets, known = torch.from_numpy(batch.targets).to(self.device), torch.from_numpy(batch.known).to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            passed: ForwardOutput = self.model(images, Labels(targets, known.float()), noise, progress)
        return passed

    def _losses(self, passed: ForwardOutput) -> dict[str, torch.Tensor]:
        """Each term, unweighted, by its name, and ``loss``, their weighted sum."""
        losses = self.recipe.losses
        values = [term(passed) for term in losses]
        weighted = [at(term.weight, passed.progress) * value for term, value in zip(losses, values, strict=True)]
        return {"loss": torch.stack(weighted).sum(), **dict(zip(map(_name, losses), values, strict=True))}

    @torch.inference_mode()
    def _end_epoch(self) -> None:
        """Note the validation loss, by which the plateau goes, and stop where it says so."""
        self.model.eval()
        passed = self._pass(self.dataset.batch(self.validation), self.progress, StepNoise(self.seed, -1))
        self.epochs.append(float(self._losses(passed)["loss"]))
        assert self.recipe.plateau is not None
        if self.recipe.plateau(self.epochs)[1]:
            self.steps = self.step

    def _measure(self) -> None:
        """Settle what is measured, once for a step; on all measuring rows at the end, until then on a few."""
        if self.measured != self.step:
            count = ROWS if self.step == self.steps else 4 * len(self.validation)
            measure(self.model, self.dataset, self.measuring[:count], self.device)
            self.measured = self.step

    def _report(self, board: Any) -> dict[str, str]:
        steps = float(self.sums.pop("steps"))
        row = {"step": self.step, "images": self.step * self.batch_size, "seconds": round(self.seconds, 1)}
        row |= {f"train.{name}": float(total) / steps for name, total in self.sums.items()}
        self.sums = {}
        row |= {f"schedule.{name}": value for name, value in self._schedules().items()}
        if self.epochs:
            row["validation.loss"] = self.epochs[-1]
        self._measure()
        autoencoder = TorchAutoencoder(self.model, self.device)
        validation = score(autoencoder, self.dataset, self.validation)
        self._check(validation["reconstruction.bce"].rows > 0)  # values that are not finite count as none
        row |= {f"validation.{name}": value.mean for name, value in validation.items() if value.rows}
        self.history.append(row)
        picture = reconstructions(autoencoder, self.dataset.batch(self.validation[:COLUMNS]), self.dataset.attributes)
        save(picture, self.run.path / PICTURES / "reconstructions.png")
        save(traversals(autoencoder), self.run.path / PICTURES / "traversals.png")
        if board is not None:
            for name, value in row.items():
                board.add_scalar(name.replace(".", "/", 1), value, self.step)
            board.add_image("reconstructions", np.atleast_3d(picture), self.step, dataformats="HWC")
        return {"loss": f"{row['train.loss']:.1f}", "nats": f"{row['validation.reconstruction.bce']:.1f}"}

    def _draw(self) -> None:
        """All pictures that apply to the finished model, of held-out rows; the curves last."""
        folder = self.run.path / PICTURES
        draw(EvaluationContext(TorchAutoencoder(self.model, self.device), self.dataset, self.validation), folder)
        save(curves({self.run.path.name: self.history}), folder / CURVES)

    def _schedules(self) -> dict[str, float]:
        """What is scheduled, as it is now: the learning rate, and weights of terms and capacities that change."""
        values = {"learning_rate": float(self.optimizer.param_groups[0]["lr"])}
        for term in self.recipe.losses:
            scheduled = {key: value for key, value in vars(term).items() if callable(value)}
            values |= {f"{_name(term)}.{key}": at(schedule, self.progress) for key, schedule in scheduled.items()}
        return values

    def _save(self) -> None:
        self._check(all(bool(weights.isfinite().all()) for weights in self.model.parameters()))
        self._measure()
        self.run.save(
            {
                "step": self.step,
                "steps": self.steps,
                "epochs": self.epochs,
                "sums": self.sums,
                "images": self.step * self.batch_size,
                "seconds": self.seconds,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "history": self.history,
            }
        )

    def _check(self, finite: bool) -> None:
        """Raise RunError before a model that diverged takes the place of a good one."""
        if not finite:
            raise RunError(
                f"{self.run.path}: diverged: no longer finite at step {self.step}, of which nothing is saved; "
                f"begin a new run with a lower learning_rate"
            )


def _name(term: Loss) -> str:
    """What a term is called in the history."""
    return type(term).__name__.lower()


class BatchSampler:
    """Rows of each step: every epoch is a permutation that depends on seed and epoch alone.

    Where fewer than ``LABELLED_SHARE`` of the rows [N] are ``labelled``, that share of every batch, its first rows, is
    drawn from these, over and over, so that few labels are not lost among many images without. ``steps`` make an epoch.
    """

    def __init__(self, rows: Rows, labelled: NDArray[np.bool_], batch_size: int, seed: int) -> None:
        few = 0 < labelled.mean() < LABELLED_SHARE
        count = min(int(LABELLED_SHARE * batch_size), int(labelled.sum())) if few else 0
        self._labelled = Permutations(rows[labelled], count, [seed, 1]) if count else None
        self._all = Permutations(rows, batch_size - count, [seed])
        self.steps = self._all.steps

    def __call__(self, step: int) -> Rows:
        """The rows of a batch."""
        return self._all(step) if self._labelled is None else np.concatenate([self._labelled(step), self._all(step)])


class Permutations:
    """So many rows per step of one permutation after the other."""

    def __init__(self, rows: Rows, count: int, seed: list[int]) -> None:
        self._rows, self._count, self._seed = rows, count, seed
        self._epoch, self._permuted = -1, rows
        self.steps = len(rows) // count

    def __call__(self, step: int) -> Rows:
        epoch, place = divmod(step, self.steps)
        if epoch != self._epoch:
            self._permuted = np.random.default_rng([*self._seed, epoch]).permutation(self._rows)
            self._epoch = epoch
        return self._permuted[place * self._count : (place + 1) * self._count]


def load_matching_weights(model: VAE, path: str) -> None:
    """Take the weights of another run wherever name and shape are the same; raises RunError where none are."""
    given = Run.open(Path(path)).load().state_dict()
    own = {name: value for name, value in model.state_dict().items() if isinstance(value, torch.Tensor)}
    taken = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if not taken:
        raise RunError(f"--init {path}: none of its weights have the shape of this model's")
    model.load_state_dict(taken, strict=False)
    if fresh := sorted(own.keys() - taken.keys()):
        print(
            f"--init {path}: takes {len(taken)} of {len(own)} tensors; fresh, as of another shape: {', '.join(fresh)}"
        )


@contextmanager
def _stop_requested() -> Iterator[list[bool]]:
    """A list that is no longer empty once SIGINT or SIGTERM came; a second one is delivered as usual."""
    stop: list[bool] = []
    before: dict[int, Any] = {}

    def note(number: int, _frame: object) -> None:
        stop.append(True)
        signal.signal(number, before[number])

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _board(run: Run, step: int) -> Iterator[Any]:
    """A TensorBoard writer that drops what an earlier process wrote past ``step``; None without TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        tqdm.write("TensorBoard is not installed: no event files are written")
        yield None
        return
    with SummaryWriter(str(run.path / "tensorboard"), purge_step=step + 1) as board:
        yield board


def _keep_freed_memory() -> None:
    """Tell glibc to reuse big freed blocks: page faults of fresh ones cost up to a third of a training step on CPU."""
    m_trim_threshold, m_mmap_threshold = -1, -3
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(m_mmap_threshold, 32 << 20)
        libc.mallopt(m_trim_threshold, 1 << 30)
    except (OSError, AttributeError):
        return
