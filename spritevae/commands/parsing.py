"""The command line of everything but ``serve``, whose options are the service's settings."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from spritevae.commands import evaluate, export, inspect, plot, reproduce, runs, train
from spritevae.commands.arguments import UsageError
from training.version import release


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands; what it parses has the command's function as ``run``."""
    parser = argparse.ArgumentParser(prog="spritevae", description=sys.modules["spritevae"].__doc__)
    parser.add_argument("--version", action="version", version=f"spritevae {release()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (inspect, train, evaluate, export, plot, runs, reproduce):
        command.add_parser(commands)
    # Only for the list of commands: the main module hands the options of `serve` to the service.
    commands.add_parser("serve", help="serve bundles over HTTP; spritevae serve --help lists the settings")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Parse a command line and run its command; returns the exit status."""
    parser = command_parser()
    options = parser.parse_args(arguments)
    options.command_line = shlex.join(["spritevae", *arguments])
    try:
        status: int = options.run(options)
    except UsageError as error:
        parser.error(str(error))
    return status
