"""The end of a process whose threads don't end: nothing can end a thread but the end of its process."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

log = logging.getLogger("spritevae.server")


def end_process_after(seconds: float, finish: Callable[[], int]) -> None:
    """Have this process end that many seconds from now, unless it has by then, whatever its threads do.

    ``finish`` is called before that, and gives the exit code.
    """
    timer = threading.Timer(seconds, _end, (finish,))
    timer.daemon = True  # it doesn't keep the process, and lives on while the interpreter waits for other threads
    timer.start()


def _end(finish: Callable[[], int]) -> None:
    own = (threading.main_thread(), threading.current_thread())
    names = [thread.name for thread in threading.enumerate() if thread not in own]
    log.error("the process ends now, though these threads still run: %s", ", ".join(names) or "none but its main one")
    code = 1
    try:
        code = finish()
    finally:
        os._exit(code)
