"""The command: ``spritevae inspect|train|evaluate|plot|runs|reproduce|export|serve`` (also ``python -m spritevae``)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from spritevae.commands import INTERRUPTED
from spritevae.commands.storage_errors import explain

EXTRAS = "cpu,training"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status: 0, 1 for wrong input or a full disk, 130 when interrupted.

    Raises SystemExit with status 2 for a command line that can't be parsed.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except ModuleNotFoundError as error:
        print(f"spritevae: error: {error.name} is missing: pip install 'spritevae[{EXTRAS}]'", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output has closed it, as `| head` does.
        _drop_output()
        return 0
    except (ValueError, OSError) as error:
        with suppress(OSError):  # the disk that is full may be that of this output
            print(f"spritevae: error: {explain(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    # Each command is imported when it is chosen: `serve` must handle signals before anything slow is imported.
    if arguments[:1] == ["serve"]:
        from spritevae.commands import serve

        return serve.run(arguments[1:])
    from spritevae.commands import parsing

    return parsing.run(arguments)


def _drop_output() -> None:
    """Drop output that can't be written: at its end, Python would try again, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
