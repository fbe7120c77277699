"""What runs in a decoder process: files to images, one job after the other, in limits that the kernel holds.

Decoders are C code that may take any time and memory on some file, and that no thread can end. SIGPROF ends a process
that takes too long, and allocations beyond the limit fail.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import WebPImagePlugin  # noqa: F401  # else Pillow looks through all its formats for the first WebP

from service.codecs.decode import Source, decode_images, limit_pillow
from service.codecs.errors import ImageError
from service.codecs.messages import receive, send

# How long a process waits for a job before it ends.
IDLE_SECONDS = 300
# The event loop, which answers everybody, has the cores before it: else it waits for them behind its own decoders.
NICENESS = 5


def main(cpu_seconds: float, memory: int) -> None:
    """Decode what comes over the socket that is file descriptor 0, until the service closes it.

    A job may take ``cpu_seconds`` of the processor, and ``memory`` bytes beyond what the process has at its start.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # they may go to a group of processes; the service ends this one
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    limit_pillow()
    _limit_memory(memory)
    with socket.socket(fileno=0) as service, service.makefile("rb") as jobs:
        service.settimeout(IDLE_SECONDS)
        try:
            while True:
                job, files = receive(jobs)
                signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
                answer, images = _answer(job, files)
                signal.setitimer(signal.ITIMER_PROF, 0)
                send(service, answer, [image.data for image in images])
        except (EOFError, OSError):  # the service has ended, or has had no job for long
            return


def _answer(job: dict[str, Any], files: list[bytes]) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    sources = [Source(where, data, media) for (where, media), data in zip(job["sources"], files, strict=True)]
    try:
        images, converted = decode_images(sources, tuple(job["shape"]), job["max_items"], job["max_pixels"])
        return {"converted": converted, "dtypes": [image.dtype.name for image in images]}, [*map(_flat, images)]
    except ImageError as error:
        return {"error": {"status": error.status, "detail": error.detail, **error.members}}, []
    except MemoryError:
        return {"error": {"status": 413, "detail": "the images take too much memory to decode"}}, []
    except Exception:
        return {"bug": traceback.format_exc()}, []


def _flat(image: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image).reshape(-1).view(np.uint8)


def _limit_memory(size: int) -> None:
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + size
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        pass  # the system has no such limit, or a lower one already


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
