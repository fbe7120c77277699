"""The command: ``spritevae train|evaluate|export|serve`` (also ``python -m spritevae``)."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from training.version import release

INTERRUPTED = 130
EXTRAS = "cpu,training"


def parser() -> argparse.ArgumentParser:
    """The command line of everything but ``serve``, whose options are the service's settings."""
    command = argparse.ArgumentParser(prog="spritevae", description=sys.modules["spritevae"].__doc__)
    command.add_argument("--version", action="version", version=f"spritevae {release()}")
    commands = command.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a system on images; the same command again resumes")
    train.add_argument("system", nargs="?", metavar="SYSTEM", help="a preset; --list shows them")
    train.add_argument("--list", action="store_true", help="show the presets and their settings, and stop")
    train.add_argument("--data", metavar="DATA", help="dsprites, dsprites-original, a dSprites .npz, or a folder")
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
            from service.main import serve

            return serve(arguments[1:])
        command = parser()
        options = command.parse_args(arguments)
        if options.command == "train":
            if not options.list and not (options.system and options.data):
                command.error("train needs a SYSTEM and --data; train --list shows the systems")
            return train(options, "spritevae " + shlex.join(arguments))
        if options.command == "evaluate":
            return evaluate(options)
        return export(options)
    except ModuleNotFoundError as error:
        print(f"spritevae: error: {error.name} is missing: pip install 'spritevae[{EXTRAS}]'", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(f"spritevae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def train(options: argparse.Namespace, command: str) -> int:
    """Start or resume a run."""
    from training import loop, presets, runs
    from training.data import open_source, with_labels
    from training.version import code_version

    if options.list:
        for name in presets.names():
            defaults = " ".join(f"{key}={value}" for key, value in presets.settings(name, {}).items())
            print(f"{name}\n  {presets.describe(name)}\n  settings: {defaults}")
        return 0
    given = dict(_assignment(text) for text in options.set)
    settings = presets.settings(options.system, given)
    if options.init:
        runs.Run.open(Path(options.init)).load()
    labels = ("only:" if options.labelled_only else "") + (options.labels or "")
    source = with_labels(open_source(options.data, options.attribute), labels, options.seed)
    device = loop.resolve_device(options.device)
    threads = options.threads or len(os.sched_getaffinity(0))
    shown = {name: settings[name] for name in given}
    path = options.run or runs.default_path(options.system, options.data, shown, labels, options.seed)
    run = runs.Run.create(
        path,
        runs.Parameters(
            system=options.system,
            settings=settings,
            data=options.data,
            overrides=tuple(options.attribute),
            labels=labels,
            attributes=tuple(source.attributes),
            image=source.image_shape,
            rows=len(source),
            content=source.content,
            init=options.init,
            seed=options.seed,
            device=device,
            precision=loop.best_precision(device),
            threads=threads,
            deterministic=options.deterministic,
            version=code_version(),
            command=command,
            hardware=f"{loop.hardware(device)}, {threads} threads" if device == "cpu" else loop.hardware(device),
        ),
    )
    try:
        loop.train(run, source, checkpoint_seconds=options.checkpoint_seconds)
    except loop.Interrupted as stopped:
        print(f"\nSaved at step {stopped.step}. The same command goes on from there:\n  {command}", file=sys.stderr)
        return INTERRUPTED
    print(f"Trained: {run.path}\n  spritevae evaluate {run.path}\n  spritevae export {run.path} -o BUNDLE")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Score a run or a bundle; writes JSON and a picture and prints the table."""
    from spritevae import load
    from training.data import open_source
    from training.evaluation import evaluate, rows_to_score, table, write
    from training.runs import PARAMETERS

    model = load(options.model, device=options.device)
    source = open_source(options.images or model.data, attributes=model.attributes)
    sets = rows_to_score(source, also_all=bool(options.images), at_most=options.rows)
    evaluation = evaluate(model.codec, source, sets)
    print(table(evaluation, source.ceilings))
    is_run = (options.model / PARAMETERS).exists()
    folder = options.output or (options.model if is_run else Path("runs") / "evaluation" / model.name)
    for file in write(evaluation, model.codec, source, sets, folder):
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


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes NAME=VALUE, got {text!r}")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
