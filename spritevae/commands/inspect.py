"""``spritevae inspect``: look at data before anything is trained on it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands.arguments import add_attributes, add_reading, reading_of

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("inspect", help="look at data: layout, labels, copies, contradictions, and remedies")
    parser.add_argument("data", metavar="DATA", help="as train takes it")
    add_attributes(parser)
    add_reading(parser)
    parser.add_argument(
        "--output", type=Path, help="folder for a contact sheet of each attribute (default: runs/inspect/DATA)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what was found, and draw a contact sheet for each attribute."""
    from training.data import open_dataset
    from training.inspection import inspect, summary
    from training.plots.contact_sheet import contact_sheets
    from training.plots.pictures import save

    dataset = open_dataset(options.data, options.attribute, reading=reading_of(options))
    print(*summary(inspect(dataset)), sep="\n")
    folder = options.output or Path("runs") / "inspect" / Path(options.data).stem
    folder.mkdir(parents=True, exist_ok=True)
    for name, sheet in contact_sheets(dataset):
        file = folder / f"{name}.png"
        save(sheet, file)
        print(file)
    return 0
