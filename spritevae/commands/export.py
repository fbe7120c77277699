"""``spritevae export``: write a run as a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands.arguments import whole_number

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("export", help="write a run as a bundle that the service loads")
    parser.add_argument("path", type=Path, metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE")
    parser.add_argument("--name", help="the model's name in the service (default: that of the folder)")
    parser.add_argument("--data", metavar="DATA", help="where the run's data is now, if it has moved")
    parser.add_argument(
        "--rows", type=whole_number(1), default=10_000, help="held-out images to score it on (default 10000)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the bundle; prints its size and the command that serves it."""
    from export.export import export
    from training.runs import Run

    manifest = export(Run.open(options.path), options.output, options.name, data=options.data, scored_rows=options.rows)
    size = sum(file.size for file in manifest.files.values())
    print(f"{options.output}: {manifest.name}, {size / 1e6:.1f} MB, digest {manifest.digest}")
    print(f"  spritevae serve --model {options.output}")
    return 0
