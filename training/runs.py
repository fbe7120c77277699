"""Run folders: parameters, history, checkpoints and pictures of one training run."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from training import presets
from training.attributes import Attribute, Attributes
from training.data import open_source
from training.data.source import DataError, Source
from training.files import replacing, write_json
from training.model import VAE
from training.nets import ImageShape

PARAMETERS = "params.json"
HISTORY = "history.json"
CHECKPOINT = "checkpoint.pt"
PICTURES = "pictures"


class RunError(ValueError):
    """A run folder that can't be used as asked; the message says what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything that decides a run's weights, as kept in ``params.json``."""

    system: str
    settings: dict[str, float]
    data: str
    overrides: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    image: ImageShape
    rows: int
    content: str
    """Digest of all images and labels, so that a run does not go on with others."""
    init: str | None
    seed: int
    device: str
    precision: str
    threads: int
    deterministic: bool
    version: str
    """The code's; this and what follows tell the reader how the run was started, and may differ on resume."""
    command: str
    hardware: str

    def differences(self, other: Parameters) -> list[str]:
        """In words, what would make the other run give other weights."""
        ours, theirs = asdict(self), asdict(other)
        decisive = [key for key in ours if key not in ("version", "command", "hardware")]
        return [f"{key}: {theirs[key]} there, {ours[key]} now" for key in decisive if ours[key] != theirs[key]]


class Run:
    """A run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run; raises RunError if there is none."""
        if not (path / PARAMETERS).is_file():
            raise RunError(f"{path}: no run here ({PARAMETERS} is missing)")
        return cls(path)

    @classmethod
    def create(cls, path: Path, parameters: Parameters) -> Run:
        """A new run, or the existing one with the same parameters; raises RunError if they differ."""
        run = cls(path)
        if (path / PARAMETERS).exists():
            if differences := parameters.differences(run.parameters):
                listed = "\n  ".join(differences)
                raise RunError(f"{path}: holds a run with other parameters; give another --run.\n  {listed}")
        else:
            path.mkdir(parents=True, exist_ok=True)
            write_json(path / PARAMETERS, asdict(parameters))
        return run

    @property
    def parameters(self) -> Parameters:
        """What the run was started with; raises RunError if the file is not that of a run."""
        try:
            fields = json.loads((self.path / PARAMETERS).read_text())
            fields["attributes"] = tuple(_attribute(each) for each in fields["attributes"])
            fields["image"], fields["overrides"] = tuple(fields["image"]), tuple(fields["overrides"])
            return Parameters(**fields)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{self.path / PARAMETERS}: can't be read ({error})") from error

    @property
    def history(self) -> list[dict[str, float]]:
        """One row per report, from the last checkpoint; empty before the first."""
        file = self.path / HISTORY
        return json.loads(file.read_text()) if file.exists() else []

    def build(self) -> VAE:
        """The run's model with fresh weights."""
        parameters = self.parameters
        try:
            recipe = presets.find(parameters.system)(**parameters.settings)
        except (TypeError, ValueError) as error:
            raise RunError(f"{self.path}: this version has no such system and settings ({error})") from error
        return VAE(recipe, Attributes(parameters.attributes), parameters.image)

    def load(self) -> VAE:
        """The run's model with the weights of its last checkpoint, for inference; raises RunError before the first."""
        return self.restore(self.last_checkpoint())

    def restore(self, checkpoint: dict[str, Any]) -> VAE:
        """The run's model with the weights of a checkpoint, for inference."""
        model = self.build()
        try:
            model.load_state_dict(checkpoint["model"])
        except (KeyError, RuntimeError) as error:
            raise RunError(f"{self.path}: its checkpoint is of another network: another version made it") from error
        return model.eval()

    def source(self, moved_to: str | None = None) -> Source:
        """The run's data, with the run's attributes; raises DataError if it isn't there any more."""
        parameters = self.parameters
        try:
            return open_source(moved_to or parameters.data, attributes=Attributes(parameters.attributes))
        except DataError as error:
            raise DataError(f"the data of {self.path}: {error}; if it has moved, say where with --data") from error

    def last_checkpoint(self) -> dict[str, Any]:
        """The last checkpoint; raises RunError before the first."""
        checkpoint = self.checkpoint()
        if checkpoint is None:
            raise RunError(f"{self.path}: has no checkpoint yet")
        return checkpoint

    def checkpoint(self) -> dict[str, Any] | None:
        """The last checkpoint, on the CPU; None before the first."""
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        try:
            checkpoint: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file fails in zip, pickle and torch alike
            raise RunError(f"{file}: damaged ({type(error).__name__}); remove the run to begin again") from error
        return checkpoint

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep a checkpoint and its history, each replaced as a whole."""
        with replacing(self.path / CHECKPOINT) as file:
            torch.save(checkpoint, file)
        write_json(self.path / HISTORY, checkpoint["history"])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process alone; raises RunError if another one trains it."""
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(f"{self.path}: another process is training this run") from None
            yield


def _attribute(fields: dict[str, Any]) -> Attribute:
    return Attribute(**{**fields, "labels": tuple(fields["labels"]), "range": tuple(fields["range"])})


def default_path(system: str, data: str, given: Sequence[str], seed: int) -> Path:
    """``runs/SYSTEM/NAME``, where the name shows the data, the settings that were given, and the seed."""
    parts = [Path(data).stem, *given, f"seed={seed}"]
    return Path("runs") / system / "-".join(part.replace("/", "_") for part in parts)
