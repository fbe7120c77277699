"""The run folder: parameters, history, checkpoint and pictures of one training run."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, TypedDict

import torch
from torch import Tensor

from attributes import Attributes, attributes_of
from training import presets
from training.atomic_files import atomic_write, write_json
from training.data import Reading, open_dataset, partially_labelled
from training.data.dataset import DataError, Dataset
from training.model import VAE
from training.parameters import EARLIER_READING, Parameters
from training.presets import Setting

PARAMETERS = "params.json"
HISTORY = "history.json"
CHECKPOINT = "checkpoint.pt"
PICTURES = "pictures"
LOCK = ".lock"
# What `spritevae reproduce` keeps beside a run: its scores, and the speed of its ONNX graphs.
SCORES = "scores.json"
SPEEDS = "speeds.json"
# The folder of runs for which no other folder is given.
ROOT = Path("runs")

# One report of a run: numbers by the name of their column.
HistoryRow = dict[str, float]
TRAIN_LOSS = "train.loss"
# Nats per image on the validation rows.
VALIDATION_BCE = "validation.reconstruction.bce"


class RunError(ValueError):
    """A run folder that can't be used as asked; the message says what to do instead."""


class Checkpoint(TypedDict):
    """The content of ``checkpoint.pt``: all that a run needs to go on as if it had never stopped."""

    step: int
    """Steps done."""
    steps: int
    """Steps in all; fewer than planned where the plateau ended the run early."""
    epochs: list[float]
    """The validation loss after each epoch, which the plateau looks at; empty for recipes without a plateau."""
    sums: dict[str, Tensor]
    """Sums of the losses since the last report, and ``steps``, how many were summed."""
    images: int
    """Images seen, repeats counted."""
    seconds: float
    """Time spent in training."""
    model: dict[str, Any]
    """The model's ``state_dict``: tensors, and the names that latents were given."""
    optimizer: dict[str, Any]
    """The optimizer's ``state_dict``."""
    history: list[HistoryRow]


class Run:
    """A run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locked: IO[str] | None = None

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run; raises RunError if there is none."""
        if not (path / PARAMETERS).is_file():
            raise RunError(f"{path}: no run here ({PARAMETERS} is missing)")
        return cls(path)

    @classmethod
    def create(cls, path: Path, parameters: Parameters, *, extend: bool = False) -> Run:
        """A new run, or the existing one with the same parameters; raises RunError that lists those that differ.

        With ``extend``, an existing run may differ in its number of images, and goes on to the new number.
        """
        run = cls(path)
        if not (path / PARAMETERS).exists():
            parameters.build()
            path.mkdir(parents=True, exist_ok=True)
            write_json(path / PARAMETERS, asdict(parameters))
        elif differences := run.parameters.differences(parameters):
            only_images = list(differences) == ["settings.images"]
            if not (only_images and extend):
                listed = "".join(f"\n  {name}: {_shown(a)} -> {_shown(b)}" for name, (a, b) in differences.items())
                hint = ", or say --set images=N to train this one further" if only_images else ""
                raise RunError(f"{path}: holds a run with other parameters; give another --run{hint}{listed}")
            with run.lock():
                run._extend(parameters)
        return run

    def _extend(self, parameters: Parameters) -> None:
        """Change the number of images; raises RunError if that can't be."""
        earlier, checkpoint, images = self.parameters, self.checkpoint(), parameters.recipe.images
        trained = checkpoint["images"] if checkpoint else 0
        if images < trained:
            raise RunError(
                f"{self.path}: has trained on {trained:,} images already, more than images={images}; "
                "give a larger number, or another --run"
            )
        if checkpoint and self.ended_early(checkpoint):
            raise RunError(
                f"{self.path}: ended at image {trained:,}: its validation loss stood still; more images change nothing"
            )
        if trained:
            change = (trained, earlier.recipe.images)
            command = f"{earlier.command} && {parameters.command}"
            parameters = replace(parameters, command=command, extended=(*earlier.extended, change))
            print(
                f"{self.path}: goes on from image {trained:,} to {images:,} (planned were {change[1]:,}); its "
                f"schedules are now those of {images:,} images",
                file=sys.stderr,
            )
        write_json(self.path / PARAMETERS, asdict(parameters))

    @property
    def parameters(self) -> Parameters:
        """The parameters that the run was started with; raises RunError if the file is not that of a run."""
        try:
            fields = json.loads((self.path / PARAMETERS).read_text())
            fields["settings"] = {presets.current_name(name): value for name, value in fields["settings"].items()}
            fields["attributes"] = tuple(attributes_of(fields["attributes"]))
            fields["image"], fields["overrides"] = tuple(fields["image"]), tuple(fields["overrides"])
            fields["extended"] = tuple(map(tuple, fields.get("extended", ())))
            return Parameters(**fields)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RunError(f"{self.path / PARAMETERS}: can't be read ({error})") from error

    @property
    def history(self) -> list[HistoryRow]:
        """One row per report, from the last checkpoint; empty before the first."""
        file = self.path / HISTORY
        return json.loads(file.read_text()) if file.exists() else []

    def build(self) -> VAE:
        """The run's model with fresh weights; raises RunError if this version can't build it."""
        try:
            return self.parameters.build()
        except (TypeError, ValueError) as error:
            raise RunError(f"{self.path}: this version has no such system and settings ({error})") from error

    @property
    def key_parameters(self) -> dict[str, Setting]:
        """What distinguishes it from other runs: system, data, labels, seed and all settings."""
        parameters = self.parameters
        named = {name: getattr(parameters, name) for name in ("system", "data", "labels", "seed")}
        return {**named, **parameters.settings}

    @property
    def finished(self) -> bool:
        """Whether it was trained to its end."""
        checkpoint = self.checkpoint()
        if checkpoint is None:
            return False
        return checkpoint["images"] >= self.parameters.recipe.images or self.ended_early(checkpoint)

    def ended_early(self, checkpoint: Checkpoint) -> bool:
        """Whether the plateau of its validation loss has ended the run."""
        plateau = self.parameters.recipe.plateau
        return plateau is not None and plateau(checkpoint["epochs"])[1]

    def load(self) -> VAE:
        """The run's model with the weights of its last checkpoint, for inference; raises RunError before the first."""
        return self.restore(self.last_checkpoint())

    def restore(self, checkpoint: Checkpoint) -> VAE:
        """The run's model with the weights of a checkpoint, for inference; raises RunError if they don't fit."""
        model = self.build()
        try:
            model.load_state_dict(checkpoint["model"])
        except (KeyError, RuntimeError) as error:
            raise RunError(f"{self.path}: its checkpoint is of another network: another version made it") from error
        return model.eval()

    def dataset(self, moved_to: str | None = None) -> Dataset:
        """The run's data, with the run's attributes; raises DataError if it isn't there any more."""
        parameters = self.parameters
        try:
            reading = Reading.of(EARLIER_READING | parameters.reading)
            whole = open_dataset(moved_to or parameters.data, (), Attributes(parameters.attributes), reading)
            return partially_labelled(whole, parameters.labels, parameters.seed)
        except DataError as error:
            raise DataError(f"the data of {self.path}: {error}; if it has moved, say where with --data") from error

    def last_checkpoint(self) -> Checkpoint:
        """The last checkpoint; raises RunError before the first."""
        checkpoint = self.checkpoint()
        if checkpoint is None:
            raise RunError(f"{self.path}: has no checkpoint yet")
        return checkpoint

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint, on the CPU; None before the first. Raises RunError if the file is damaged."""
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        try:
            checkpoint: Checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # zip, pickle and torch each raise their own exceptions for a damaged file
            raise RunError(f"{file}: damaged ({type(error).__name__}); remove the run to begin again") from error
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and its history; each file is replaced as a whole."""
        with atomic_write(self.path / CHECKPOINT) as file:
            torch.save(checkpoint, file)
        self.save_history(checkpoint)

    def save_history(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint's history, unless it is there already."""
        if self.history != checkpoint["history"]:
            write_json(self.path / HISTORY, checkpoint["history"])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let only this process train the run; raises RunError if another one does."""
        with (self.path / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(f"{self.path}: another process is training this run") from None
            self._locked = file
            try:
                yield
            finally:
                self._locked = None

    def check_lock(self) -> None:
        """Raises RunError if the folder is no longer the one that this process has locked."""
        try:
            same = self._locked is None or os.path.samestat(os.fstat(self._locked.fileno()), os.stat(self.path / LOCK))
        except FileNotFoundError:
            same = False
        if not same:
            raise RunError(
                f"{self.path}: was removed, moved or replaced while it was trained; nothing more is saved there; "
                "run the same command again to begin anew"
            )


def default_path(system: str, data: str, given: Mapping[str, Setting], labels: str, seed: int) -> Path:
    """``runs/SYSTEM/NAME``, where the name shows the data, the settings that were given, the labels and the seed."""
    settings = [f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in given.items()]
    parts = [Path(data).stem, *settings, *([f"labels={labels}"] if labels else []), f"seed={seed}"]
    return ROOT / system / "-".join(re.sub(r"[^\w.=+,]", "_", part) for part in parts)


def _shown(value: object) -> object:
    """A parameter as an error message shows it: of a digest the beginning, of an attribute the kind."""
    if isinstance(value, dict):
        return value["kind"]
    return "none" if value is None else f"{value[:12]}..." if isinstance(value, str) and len(value) == 64 else value
