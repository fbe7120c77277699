"""``spritevae plot``: draw pictures of one or more models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands

# The folder for pictures of several models or of a bundle.
PICTURES = Path("runs") / "pictures"
# At most this many held-out images are encoded for the pictures.
PLOTTED_ROWS = 2_000


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("plot", help="draw pictures of a run or a bundle, or of several side by side")
    parser.add_argument(
        "models",
        type=Path,
        nargs="+",
        metavar="RUN|BUNDLE",
        help="of several models: their curves, and an interpolation by each",
    )
    parser.add_argument(
        "--pictures", nargs="+", default=[], metavar="PICTURE", help="only these; an unknown name lists what there is"
    )
    parser.add_argument("--output", type=Path, help="folder for the pictures (default: RUN/pictures, or runs/pictures)")
    parser.add_argument("--data", metavar="DATA", help="where the model's data is now, if it has moved")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw all pictures of a single model; of several models their curves, and an interpolation by each."""
    from spritevae import load
    from training.data import Reading, open_dataset
    from training.evaluation import rows_to_score
    from training.metrics.context import EvaluationContext
    from training.plots import draw
    from training.plots.curves import CURVES, curves
    from training.plots.interpolations import side_by_side
    from training.plots.pictures import save
    from training.runs import PARAMETERS, Run

    trained = [Run.open(path) for path in options.models if (path / PARAMETERS).exists()]
    models = [load(path) for path in options.models]
    folder = options.output or (trained[0].path / "pictures" if len(models) == len(trained) == 1 else PICTURES)
    folder.mkdir(parents=True, exist_ok=True)
    if trained:
        save(curves({run.path.name: run.history for run in trained}), folder / CURVES)
        print(folder / CURVES)
    first = models[0]
    dataset = open_dataset(options.data or first.data, (), first.data_attributes, Reading.of(first.reading))
    rows = next(iter(rows_to_score(dataset, at_most=PLOTTED_ROWS).values()))
    if len(models) == 1:
        for file in draw(EvaluationContext(models[0].autoencoder, dataset, rows), folder, options.pictures):
            print(file)
    elif len({model.image_shape for model in models}) == 1 < len(rows):
        pair = dataset.batch(rows[:2]).images  # [2, H, W, C]
        save(side_by_side({model.name: model.autoencoder for model in models}, pair), folder / "interpolations.png")
        print(folder / "interpolations.png")
    return 0
