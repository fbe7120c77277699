"""``spritevae reproduce``: train, score and report the experiments of docs/systems.md and docs/model.md."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands.arguments import add_device, add_threads, assignments
from spritevae.commands.train import Training, train

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "reproduce",
        help="train and score what docs/systems.md and docs/model.md report, and write them (hours; resumes)",
    )
    parser.add_argument("names", nargs="*", metavar="EXPERIMENT", help="only these; an unknown one lists them")
    parser.add_argument(
        "--data", nargs="+", default=[], metavar="NAME=PATH", help="where a data set is, for example mnist=my/mnist"
    )
    parser.add_argument("--root", type=Path, help="folder of the runs (default: runs/reproduce)")
    parser.add_argument(
        "--output", type=Path, default=Path("docs") / "systems.md", help="the table's file; model.md goes beside"
    )
    add_threads(parser)
    add_device(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train each experiment where that is still to be done, score it, and write the tables anew."""
    from export.speed import time_run
    from training.reproduce.experiment import ROOT, score_run
    from training.reproduce.experiments import named
    from training.reproduce.report import write_table
    from training.runs import Run

    data, root = assignments(options.data), options.root or ROOT
    for experiment in named(options.names):
        print(f"{experiment.name}: {experiment.command}")
        path = root / experiment.name
        status = train(
            Training(
                system=experiment.system,
                data=data.get(experiment.data, experiment.data),
                command=experiment.command,
                settings=experiment.settings,
                labels=experiment.labels,
                run=path,
                init=str(root / experiment.init) if experiment.init else None,
                seed=experiment.seed,
                device=options.device,
                threads=options.threads,
            )
        )
        if status:
            return status
        score_run(Run.open(path), experiment)
        if experiment.timed:
            time_run(Run.open(path))
        write_table(root, options.output)
    print(options.output)
    return 0
