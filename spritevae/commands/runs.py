"""``spritevae runs``: list runs with their parameters and last figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spritevae.commands.arguments import assignments

if TYPE_CHECKING:
    from spritevae.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser("runs", help="list runs with their parameters and last figures")
    parser.add_argument(
        "--where", nargs="+", default=[], metavar="NAME=VALUE", help="only those, for example beta=4 system=beta_conv"
    )
    parser.add_argument("--root", type=Path, default=Path("runs"), help="the folder that they are in (default: runs)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the runs as a table."""
    from training.run_list import load_runs, overview

    print(overview(load_runs(assignments(options.where), options.root)))
    return 0
