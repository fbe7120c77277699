"""The command: ``spritevae train|evaluate|plot|runs|reproduce|export|serve`` (also ``python -m spritevae``)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from spritevae.commands import INTERRUPTED

EXTRAS = "cpu,training"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status: 0, 1 for wrong input, 130 when interrupted.

    Raises SystemExit with status 2 for a command line that can't be parsed.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        # Each command is imported when it is chosen: `serve` must handle signals before anything slow is imported.
        if arguments[:1] == ["serve"]:
            from spritevae.commands import serve

            return serve.run(arguments[1:])
        from spritevae.commands import parsing

        return parsing.run(arguments)
    except ModuleNotFoundError as error:
        print(f"spritevae: error: {error.name} is missing: pip install 'spritevae[{EXTRAS}]'", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output has closed it, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"spritevae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
