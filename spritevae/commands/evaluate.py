"""``spritevae evaluate``: score a run or a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands.arguments import add_device, add_reading, reading_of, whole_number

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("evaluate", help="score a run or a bundle on held-out images")
    parser.add_argument("model", type=Path, metavar="RUN|BUNDLE")
    parser.add_argument(
        "--images", metavar="DATA", help="score on these images instead: the held-out ones, and all, apart"
    )
    parser.add_argument("--training", action="store_true", help="score the images that were trained on too, apart")
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=[],
        metavar="METRIC",
        help="further metrics of at most 10,000 images, by name, or all; an unknown name lists them",
    )
    parser.add_argument(
        "--speed", action="store_true", help="time encoder and decoder in onnxruntime too, beside a reference network"
    )
    parser.add_argument(
        "--rows", type=whole_number(1), help="score at most this many rows, drawn with seed 0 (default: all)"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for the JSON and the picture (default: RUN, or runs/evaluation/NAME)"
    )
    add_device(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the scores as a table, and write them as JSON and as a picture."""
    from spritevae import load
    from training.data import Reading, open_dataset
    from training.evaluation import evaluate, rows_to_score, table, write
    from training.metrics import chosen
    from training.runs import PARAMETERS

    # An unknown metric is refused before anything is loaded.
    chosen(options.metrics)
    model = load(options.model, device=options.device)
    reading = reading_of(options) if options.images else Reading.of(model.reading)
    dataset = open_dataset(options.images or model.data, (), model.data_attributes, reading)
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
