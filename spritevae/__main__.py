"""The command: ``spritevae train|evaluate|plot|runs|reproduce|export|serve`` (also ``python -m spritevae``)."""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from training.version import release

if TYPE_CHECKING:
    from training.data.dataset import Dataset
    from training.presets import Setting

INTERRUPTED = 130
PICTURES = Path("runs") / "pictures"
PLOTTED_ROWS = 2_000
EXTRAS = "cpu,training"


def parser() -> argparse.ArgumentParser:
    """The command line of everything but ``serve``, whose options are the service's settings."""
    command = argparse.ArgumentParser(prog="spritevae", description=sys.modules["spritevae"].__doc__)
    command.add_argument("--version", action="version", version=f"spritevae {release()}")
    commands = command.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a system on images; the same command again resumes")
    train.add_argument("system", nargs="?", metavar="SYSTEM", help="a preset; --list shows them")
    train.add_argument("--list", action="store_true", help="show the presets and their settings, and stop")
    train.add_argument(
        "--benchmark", action="store_true", help="measure how fast training is here, beside a plain loop, and stop"
    )
    train.add_argument("--data", metavar="DATA", help="dsprites, mnist, fashion-mnist, a file or a folder")
    train.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=KIND[:...]",
        help="what a column of labels.csv is, for example hue=circular:36:period=36 (repeatable)",
    )
    train.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="settings of the preset, for example images=2e6 beta=8",
    )
    train.add_argument("--labels", metavar="N|FILE", help="label only so many rows, or those that a file lists")
    train.add_argument("--labelled-only", action="store_true", help="leave out the rows without --labels altogether")
    train.add_argument(
        "--grid",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE,VALUE",
        help="a run for every combination of such settings; finished ones are left as they are",
    )
    train.add_argument("--run", type=Path, help="the run's folder (default: runs/SYSTEM/DATA-...-seed=SEED)")
    train.add_argument("--init", metavar="RUN", help="begin with the weights of that run")
    train.add_argument("--seed", type=_whole(0), default=0, help="decides all that is random (default 0)")
    train.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    train.add_argument("--threads", type=_whole(1), help="CPU threads (default: one per core)")
    train.add_argument("--deterministic", action="store_true", help="exact resume on CUDA too (on CPU it always is)")
    train.add_argument("--checkpoint-seconds", type=float, default=60.0, help="how often to save (default 60)")

    evaluate = commands.add_parser("evaluate", help="score a run or a bundle on held-out images")
    evaluate.add_argument("model", type=Path, metavar="RUN|BUNDLE")
    evaluate.add_argument("--images", metavar="FILE", help="score on these instead, held-out ones and all apart")
    evaluate.add_argument("--training", action="store_true", help="score images that were trained on, too, apart")
    evaluate.add_argument(
        "--metrics",
        nargs="+",
        default=[],
        metavar="METRIC",
        help="further metrics of at most 10,000 images, by name, or all; an unknown name lists them",
    )
    evaluate.add_argument("--speed", action="store_true", help="time both graphs beside a pair of reference, too")
    evaluate.add_argument("--rows", type=_whole(1), help="at most so many rows, drawn with seed 0 (default: all)")
    evaluate.add_argument(
        "--output", type=Path, help="folder for the JSON and the picture (default: RUN, or runs/evaluation/NAME)"
    )
    evaluate.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")

    export = commands.add_parser("export", help="write a run as a bundle that the service loads")
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE")
    export.add_argument("--name", help="the model's name in the service (default: that of the folder)")
    export.add_argument("--data", metavar="DATA", help="where the run's data is now, if it has moved")
    export.add_argument("--rows", type=_whole(1), default=10_000, help="held-out images to score it on (default 10000)")

    plot = commands.add_parser("plot", help="draw pictures of a run or a bundle, or of several side by side")
    plot.add_argument("models", type=Path, nargs="+", metavar="RUN|BUNDLE", help="several: curves and a walk of each")
    plot.add_argument(
        "--pictures", nargs="+", default=[], metavar="PICTURE", help="only these; an unknown name lists what there is"
    )
    plot.add_argument("--output", type=Path, help="folder for the pictures (default: RUN/pictures, or runs/pictures)")
    plot.add_argument("--data", metavar="DATA", help="where the model's data is now, if it has moved")

    runs = commands.add_parser("runs", help="list runs with their parameters and last figures")
    runs.add_argument(
        "--where", nargs="+", default=[], metavar="NAME=VALUE", help="only those, for example beta=4 system=beta_conv"
    )
    runs.add_argument("--root", type=Path, default=Path("runs"), help="the folder that they are in (default: runs)")

    reproduce = commands.add_parser(
        "reproduce",
        help="train and score what docs/systems.md and docs/model.md report, and write them (hours; resumes)",
    )
    reproduce.add_argument("names", nargs="*", metavar="EXPERIMENT", help="only these; an unknown one lists them")
    reproduce.add_argument(
        "--data", nargs="+", default=[], metavar="NAME=PATH", help="where a data set is, for example mnist=my/mnist"
    )
    reproduce.add_argument("--root", type=Path, help="folder of the runs (default: runs/reproduce)")
    reproduce.add_argument(
        "--output", type=Path, default=Path("docs") / "systems.md", help="the table's file; model.md goes beside"
    )
    reproduce.add_argument("--threads", type=_whole(1), help="CPU threads (default: one per core)")
    reproduce.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")

    commands.add_parser("serve", help="serve bundles over HTTP; spritevae serve --help lists the settings")
    return command


def _whole(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        number = int(text)
        if not least <= number < 2**31:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {2**31 - 1}")
        return number

    return whole_number


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit status: 0, 1 for what was wrong with the input, 130 when interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["serve"]:
            from service.server import stop_signals

            stop_signals.defer_stop_signals()  # before the rest is imported, which takes a while
            from service.main import serve

            return serve(arguments[1:])
        command = parser()
        options = command.parse_args(arguments)
        if options.command == "train":
            if not (options.list or options.benchmark or (options.system and options.data)):
                command.error("train needs a SYSTEM and --data; train --list shows the systems")
            return train(options, "spritevae " + shlex.join(arguments))
        others = {"evaluate": evaluate, "export": export, "plot": plot, "runs": runs, "reproduce": reproduce}
        return others[options.command](options)
    except ModuleNotFoundError as error:
        print(f"spritevae: error: {error.name} is missing: pip install 'spritevae[{EXTRAS}]'", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads this has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"spritevae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def train(options: argparse.Namespace, command: str) -> int:
    """Start or resume a run, or one after the other those of a grid."""
    from training import presets
    from training.data import open_dataset, with_labels
    from training.data.few_labels import ONLY
    from training.runs import Run, default_path
    from training.trainer.trainer import resolve_device

    if options.list:
        for name in presets.names():
            defaults = " ".join(f"{key}={value}" for key, value in presets.settings(name, {}).items())
            described = presets.describe(name).replace("\n", "\n  ")
            print(f"{name}\n  {described}\n  Settings: {defaults}\n")
        return 0
    if options.benchmark:
        from training.reproduce.loop_speed import table

        device = resolve_device(options.device)
        for line in table(device, options.threads or len(os.sched_getaffinity(0))):
            print(line, flush=True)
        return 0
    if options.labelled_only and not options.labels:
        raise ValueError("--labelled-only goes with --labels")
    given = dict(map(_assignment, options.set))
    lists = {name: values.split(",") for name, values in map(_assignment, options.grid)}
    if lists and options.run:
        raise ValueError("--grid makes several runs, each in its own folder; --run names one")
    grid = [given | dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    chosen = [presets.settings(options.system, each) for each in grid]
    if options.init:
        Run.open(Path(options.init)).load()
    labels = (ONLY if options.labelled_only else "") + (options.labels or "")
    dataset = with_labels(open_dataset(options.data, options.attribute), labels, options.seed)
    for each, settings in zip(grid, chosen, strict=True):
        shown = {name: settings[name] for name in each}
        path = options.run or default_path(options.system, options.data, shown, labels, options.seed)
        if not _train_one(path, options, settings, labels, dataset, command):
            return INTERRUPTED
        print(f"Trained: {path}\n  spritevae evaluate {path}\n  spritevae export {path} -o BUNDLE")
    return 0


def _train_one(
    path: Path, options: argparse.Namespace, settings: dict[str, Setting], labels: str, dataset: Dataset, command: str
) -> bool:
    """Begin or resume the run at ``path``; False if it was interrupted, which is said."""
    from training.runs import Parameters, Run
    from training.trainer import trainer
    from training.version import code_version

    device = trainer.resolve_device(options.device)
    threads = options.threads or len(os.sched_getaffinity(0))
    run = Run.create(
        path,
        Parameters(
            system=options.system,
            settings=settings,
            data=options.data,
            overrides=tuple(options.attribute),
            labels=labels,
            attributes=tuple(dataset.attributes),
            image=dataset.image_shape,
            rows=len(dataset),
            content=dataset.content,
            init=options.init,
            seed=options.seed,
            device=device,
            precision=trainer.best_precision(device),
            threads=threads,
            deterministic=options.deterministic,
            version=code_version(),
            command=command,
            hardware=trainer.hardware(device) + (f", {threads} thread{'s' * (threads > 1)}" if device == "cpu" else ""),
        ),
    )
    try:
        trainer.train(run, dataset, checkpoint_seconds=options.checkpoint_seconds)
    except trainer.Interrupted as stopped:
        print(f"\nSaved at step {stopped.step}. The same command goes on from there:\n  {command}", file=sys.stderr)
        return False
    return True


def reproduce(options: argparse.Namespace) -> int:
    """Train experiments by their commands, score them, and write their table."""
    from export.speed import time_run
    from training.reproduce.experiments import ROOT, named, score_run
    from training.reproduce.report import write_table
    from training.runs import Run

    places, root = dict(map(_assignment, options.data)), options.root or ROOT
    for experiment in named(options.names):
        print(f"{experiment.name}: {experiment.command}")
        path = root / experiment.name
        here = ["--run", str(path), "--device", options.device]
        here += ["--threads", str(options.threads)] if options.threads else []
        here += ["--data", places[experiment.data]] if experiment.data in places else []
        here += ["--init", str(root / experiment.init)] if experiment.init else []
        status = train(parser().parse_args([*shlex.split(experiment.command)[1:], *here]), experiment.command)
        if status:
            return status
        score_run(Run.open(path), experiment)
        if experiment.timed:
            time_run(Run.open(path))
        write_table(root, options.output)
    print(options.output)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Score a run or a bundle; writes JSON and a picture and prints the table."""
    from spritevae import load
    from training.data import open_dataset
    from training.evaluation import evaluate, rows_to_score, table, write
    from training.metrics import chosen
    from training.runs import PARAMETERS

    chosen(options.metrics)
    model = load(options.model, device=options.device)
    dataset = open_dataset(options.images or model.data, attributes=model.data_attributes)
    sets = rows_to_score(dataset, also_all=bool(options.images), also_training=options.training, at_most=options.rows)
    evaluation = evaluate(model.autoencoder, dataset, sets, options.metrics)
    print(table(evaluation, dataset.ceilings))
    if options.speed:
        from export import speed

        print(speed.table([*speed.speeds(speed.graphs(options.model))]))
    is_run = (options.model / PARAMETERS).exists()
    folder = options.output or (options.model if is_run else Path("runs") / "evaluation" / model.name)
    for file in write(evaluation, model.autoencoder, dataset, sets, folder):
        print(file)
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a run as a bundle."""
    from export.export import export
    from training.runs import Run

    manifest = export(Run.open(options.run), options.output, options.name, data=options.data, scored_rows=options.rows)
    size = sum(file.size for file in manifest.files.values())
    print(f"{options.output}: {manifest.name}, {size / 1e6:.1f} MB, digest {manifest.digest}")
    print(f"  spritevae serve --model {options.output}")
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw pictures."""
    from spritevae import load
    from training.data import open_dataset
    from training.evaluation import rows_to_score
    from training.metrics.context import EvaluationContext
    from training.plots import draw
    from training.plots.canvas import save
    from training.plots.curves import CURVES, curves
    from training.plots.interpolations import side_by_side
    from training.runs import PARAMETERS, Run

    trained = [Run.open(path) for path in options.models if (path / PARAMETERS).exists()]
    models = [load(path) for path in options.models]
    folder = options.output or (trained[0].path / "pictures" if len(models) == len(trained) == 1 else PICTURES)
    if trained:
        save(curves({run.path.name: run.history for run in trained}), folder / CURVES)
        print(folder / CURVES)
    dataset = open_dataset(options.data or models[0].data, attributes=models[0].data_attributes)
    rows = next(iter(rows_to_score(dataset, at_most=PLOTTED_ROWS).values()))
    if len(models) == 1:
        for file in draw(EvaluationContext(models[0].autoencoder, dataset, rows), folder, options.pictures):
            print(file)
    elif len({model.image_shape for model in models}) == 1 < len(rows):
        pair = dataset.batch(rows[:2]).images
        save(side_by_side({model.name: model.autoencoder for model in models}, pair), folder / "interpolations.png")
        print(folder / "interpolations.png")
    return 0


def runs(options: argparse.Namespace) -> int:
    """List runs: what tells them apart, how far they are, and their last figures."""
    from training.runs import load_runs, overview

    print(overview(load_runs(dict(map(_assignment, options.where)), options.root)))
    return 0


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"settings are given as NAME=VALUE, got {text!r}")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
