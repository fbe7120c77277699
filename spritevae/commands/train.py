"""``spritevae train``: begin or resume a run, or the runs of a grid one after the other."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands import INTERRUPTED
from spritevae.commands.arguments import (
    UsageError,
    add_attributes,
    add_device,
    add_reading,
    add_threads,
    assignments,
    reading_of,
    whole_number,
)
from spritevae.commands.storage_errors import REMEDIES, explain

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands
    from training.data import Reading
    from training.data.dataset import Dataset
    from training.presets import Setting


@dataclass(frozen=True, kw_only=True)
class Training:
    """What ``train`` is asked to do: the options of the command, most with the same names."""

    system: str
    data: str
    command: str
    """The command that goes on with an interrupted run."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    """Values of settings; there is a run for every combination of them."""
    extend: bool = False
    """Whether an existing run goes on to another number of images."""
    overrides: Sequence[str] = ()
    """Kinds of attributes of people's own images, as ``--attribute`` takes them."""
    reading: Reading | None = None
    """How these images are read; None for as they lie there."""
    labels: str = ""
    """Which rows are labelled, as ``training.data.partially_labelled`` takes them."""
    run: Path | None = None
    init: str | None = None
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    deterministic: bool = False
    checkpoint_seconds: float = 60.0


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("train", help="train a system on images; the same command again resumes")
    parser.add_argument("system", nargs="?", metavar="SYSTEM", help="a preset; --list shows them")
    parser.add_argument("--list", action="store_true", help="show the presets and their settings, and stop")
    parser.add_argument(
        "--benchmark", action="store_true", help="measure how fast training is here, beside a plain loop, and stop"
    )
    _add_data(parser)
    _add_settings(parser)
    parser.add_argument(
        "--run",
        dest="path",
        type=Path,
        metavar="RUN",
        help="the run's folder (default: runs/SYSTEM/DATA-...-seed=SEED)",
    )
    parser.add_argument("--init", metavar="RUN", help="begin with the weights of that run")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="decides all that is random (default 0)")
    add_device(parser)
    add_threads(parser)
    parser.add_argument("--deterministic", action="store_true", help="exact resume on CUDA too (on CPU it always is)")
    parser.add_argument("--checkpoint-seconds", type=float, default=60.0, help="how often to save (default 60)")
    parser.set_defaults(run=run)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DATA", help="dsprites, mnist, fashion-mnist, or a file, folder or archive")
    add_attributes(parser)
    add_reading(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="settings of the preset, for example images=2e6 beta=8",
    )
    parser.add_argument("--labels", metavar="N|FILE", help="label only this many rows, or those that a file lists")
    parser.add_argument("--labelled-only", action="store_true", help="leave out the rows without --labels altogether")
    parser.add_argument(
        "--grid",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE,VALUE",
        help="a run for every combination of these values; finished runs are left as they are",
    )


def run(options: argparse.Namespace) -> int:
    """Train, list the presets, or measure the speed of training."""
    if options.list:
        return list_presets()
    if options.benchmark:
        return benchmark(options.device, options.threads)
    if not (options.system and options.data):
        raise UsageError("train needs a SYSTEM and --data; train --list shows the systems")
    if options.labelled_only and not options.labels:
        raise ValueError("--labelled-only goes with --labels")
    from training.data.few_labels import LABELLED_ONLY

    settings = assignments(options.set)
    return train(
        Training(
            system=options.system,
            data=options.data,
            command=options.command_line,
            settings=settings,
            extend="images" in settings,
            grid={name: values.split(",") for name, values in assignments(options.grid).items()},
            overrides=options.attribute,
            reading=reading_of(options),
            labels=(LABELLED_ONLY if options.labelled_only else "") + (options.labels or ""),
            run=options.path,
            init=options.init,
            seed=options.seed,
            device=options.device,
            threads=options.threads,
            deterministic=options.deterministic,
            checkpoint_seconds=options.checkpoint_seconds,
        )
    )


def list_presets() -> int:
    """Print all presets with their settings."""
    from training import presets

    for name in presets.names():
        defaults = " ".join(f"{key}={value}" for key, value in presets.settings(name, {}).items())
        described = presets.describe(name).replace("\n", "\n  ")
        print(f"{name}\n  {described}\n  Settings: {defaults}\n")
    return 0


def benchmark(device: str, threads: int | None) -> int:
    """Print how fast the training loop is beside a plain one."""
    from training.hardware import default_threads, resolve_device
    from training.reproduce.loop_speed import table

    for line in table(resolve_device(device), threads or default_threads()):
        print(line, flush=True)
    return 0


def train(training: Training) -> int:
    """Begin or resume a run, or those of a grid; returns the exit status. Raises ValueError for what can't be done."""
    from training import presets
    from training.data import Reading, open_dataset, partially_labelled
    from training.data.reading import AS_FOUND
    from training.inspection import inspect, summary
    from training.runs import Run, default_path

    if training.grid and training.run:
        raise ValueError("--grid makes several runs, each in its own folder; --run names one")
    combinations = itertools.product(*training.grid.values())
    given = [{**training.settings, **dict(zip(training.grid, values, strict=True))} for values in combinations]
    # Wrong settings and weights are refused before the data is opened, which may take a while.
    chosen = [presets.settings(training.system, each) for each in given]
    if training.init:
        Run.open(Path(training.init)).load()
    whole = open_dataset(training.data, training.overrides, reading=training.reading or Reading())
    dataset = partially_labelled(whole, training.labels, training.seed)
    if whole.reading != AS_FOUND:  # people's own images
        print(*summary(inspect(whole)), sep="\n", file=sys.stderr, flush=True)
    for each, settings in zip(given, chosen, strict=True):
        shown = {name: settings[presets.current_name(name)] for name in each}
        path = training.run or default_path(training.system, training.data, shown, training.labels, training.seed)
        if not _train_run(path, training, settings, dataset):
            return INTERRUPTED
        print(f"Trained: {path}\n  spritevae evaluate {path}\n  spritevae export {path} -o BUNDLE")
    return 0


def _train_run(path: Path, training: Training, settings: dict[str, Setting], dataset: Dataset) -> bool:
    """Begin or resume the run at ``path``; False if it was interrupted, with a message how to go on."""
    from training.hardware import default_threads, resolve_device
    from training.parameters import Parameters
    from training.reporter import RunReporter
    from training.runs import Run, RunError
    from training.trainer import trainer
    from training.trainer.interrupt import Interrupted

    parameters = Parameters.for_dataset(
        dataset,
        system=training.system,
        settings=settings,
        data=training.data,
        overrides=training.overrides,
        labels=training.labels,
        init=training.init,
        seed=training.seed,
        device=resolve_device(training.device),
        threads=training.threads or default_threads(),
        deterministic=training.deterministic,
        command=training.command,
    )
    try:
        run = Run.create(path, parameters, extend=training.extend)
        trainer.train(run, dataset, RunReporter(run, dataset), checkpoint_seconds=training.checkpoint_seconds)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        checkpoint = Run(path).checkpoint()
        where = f" to go on from image {checkpoint['images']:,}" if checkpoint else ""
        raise RunError(explain(error, where)) from error
    except Interrupted as stopped:
        print(
            f"\nSaved at step {stopped.step}. The same command goes on from there:\n  {training.command}",
            file=sys.stderr,
        )
        return False
    return True
