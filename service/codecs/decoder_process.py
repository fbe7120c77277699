"""Processes that decode image files of strangers, in limits of time and memory that nothing in a file can pass."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from numpy.typing import NDArray

from service import environment
from service.codecs.decode import Source
from service.codecs.errors import ImageError
from service.codecs.messages import receive, send
from service.codecs.png import Shape

log = logging.getLogger("spritevae.decoders")
# Seconds of the processor for the files of a request. Those that are as large as may be take two.
CPU_SECONDS = 5.0
# Seconds after which a process is ended that takes no time of the processor, either.
PATIENCE_SECONDS = 30.0

# -P, as the working directory need not be where modules are.
COMMAND = (sys.executable, "-P", "-m", "service.codecs.decoder_worker")
# Numpy has no threads, and memory of images goes back to the system.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}

Decoded = tuple[list[NDArray[Any]], list[list[str]]]


class DecoderProcess:
    """A process that decodes files: started for the first ones, and again after one that was ended."""

    def __init__(self, cpu_seconds: float, memory: int) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def decode(self, sources: Sequence[Source], shape: Shape, max_items: int, max_pixels: int) -> Decoded:
        """What ``decode_images`` gives. Raises its ImageError; 413 past a limit, 400 if its decoder crashes."""
        job = {
            "sources": [(source.where, source.media) for source in sources],
            "shape": shape,
            "max_items": max_items,
            "max_pixels": max_pixels,
        }
        where = " to ".join(dict.fromkeys((sources[0].where, sources[-1].where)))
        was_idle = self._process is not None  # so it may have ended since
        if not was_idle:
            self._start()
        try:
            send(self._connection, job, [source.data for source in sources])
            answer, parts = receive(self._answers)
        except (EOFError, OSError) as error:
            code = self._end()
            if isinstance(error, TimeoutError):
                raise _too_long(where, PATIENCE_SECONDS) from None
            if code == -signal.SIGPROF:
                raise _too_long(where, self._cpu_seconds) from None
            if was_idle and not self._killed:
                return self.decode(sources, shape, max_items, max_pixels)
            log.warning("a decoder has failed: exit code %s", code)
            raise ImageError(400, f"{where}: its decoder failed", where=where) from None
        if "bug" in answer:
            raise RuntimeError(answer["bug"])
        if "error" in answer:
            raise ImageError(**answer["error"])
        types = answer["dtypes"]
        return [np.frombuffer(*each).reshape(shape) for each in zip(parts, types, strict=True)], answer["converted"]

    def kill(self) -> None:
        """End the process, whatever it does; for good, in any thread."""
        self._killed = True
        if process := self._process:
            process.kill()

    def _start(self) -> None:
        # It needs no setting of the service, least of all its keys.
        settings = {name: each for name, each in os.environ.items() if not name.upper().startswith(environment.PREFIX)}
        path = os.pathsep.join(map(os.path.abspath, sys.path))
        try:
            self._connection, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [*COMMAND, str(self._cpu_seconds), str(self._memory)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**settings, **ENVIRONMENT, "PYTHONPATH": path},
                    start_new_session=True,  # Ctrl-C is for the service, which then ends it
                )
        except OSError as error:  # no descriptor, process or memory is left
            log.error("no decoder can be started: %s", error)
            raise ImageError(503, "no decoder can be started now") from None
        self._connection.settimeout(PATIENCE_SECONDS)
        self._answers = self._connection.makefile("rb")
        if self._killed:  # meanwhile
            self._process.kill()

    def _end(self) -> int:
        """End the process, and give its exit code."""
        assert self._process
        self._answers.close()
        self._connection.close()
        self._process.kill()
        code = self._process.wait()
        self._process = None
        return code


def _too_long(where: str, seconds: float) -> ImageError:
    return ImageError(413, f"{where}: takes more than {seconds:g} s to decode", where=where, limit=seconds)


class DecoderPool:
    """At most ``size`` decoder processes, used again and again; who comes when all are busy waits.

    The files of a request may take ``memory`` bytes and ``cpu_seconds`` of the processor.
    """

    def __init__(self, size: int, memory: int, cpu_seconds: float = CPU_SECONDS) -> None:
        self._limits = cpu_seconds, memory
        self._idle: list[DecoderProcess] = []
        self._processes = CapacityLimiter(size)
        self._threads = CapacityLimiter(2 * size)  # those of processes that were just killed included

    async def decode(self, sources: Sequence[Source], shape: Shape, max_items: int, max_pixels: int) -> Decoded:
        """What ``DecoderProcess.decode`` gives. The process is ended if this is cancelled."""
        async with self._processes:
            decoder = self._idle.pop() if self._idle else DecoderProcess(*self._limits)
            usable = False
            try:
                decoded = await to_thread.run_sync(
                    decoder.decode,
                    sources,
                    shape,
                    max_items,
                    max_pixels,
                    abandon_on_cancel=True,
                    limiter=self._threads,
                )
                usable = True
                return decoded
            except ImageError:
                usable = True
                raise
            finally:
                if usable:
                    self._idle.append(decoder)
                else:
                    decoder.kill()

    def close(self) -> None:
        """End the processes that are idle."""
        while self._idle:
            self._idle.pop().kill()
