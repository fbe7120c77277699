"""Trial runs: a bundle from elsewhere is loaded and run in a process of its own before it is in the service.

A graph may loop for ever and ask for any amount of memory, and a thread that runs one can't be ended. A process can:
it has limits, and ends with the task that waits for it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL

import anyio

from export.bundle import Bundle, BundleError, read_bundle
from service.environment import PREFIX
from service.inference.model import Model
from service.inference.providers import ModelError

# Loading takes a fraction of a second; time on the clock is for machines that are busy otherwise.
CPU_SECONDS, SECONDS = 30, 180
# What a trial may take beyond an interpreter that has run nothing: this, and so many times the size of the bundle,
# which is there as a file, parsed, as tensors, and arranged for the processor.
MEMORY, MEMORY_OF_FILES = 2**30, 4
REFUSED = 3


async def try_bundle(bundle: Bundle) -> None:
    """Load a bundle and reproduce its golden vectors on the CPU, in another process.

    Raises ModelError with the reason if that fails or takes too much. That process ends if this task is cancelled.
    """
    memory = MEMORY + MEMORY_OF_FILES * sum(map(len, bundle.files.values()))
    arguments = [str(bundle.path), bundle.manifest.digest, str(CPU_SECONDS), str(memory)]
    try:
        with anyio.fail_after(SECONDS):
            ended = await anyio.run_process(
                # -P, as the working directory need not be where modules are; the keys are nothing that it needs.
                [sys.executable, "-P", "-m", __name__, *arguments],
                env={
                    **{name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)},
                    "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
                },
                stdin=DEVNULL,
                check=False,
                start_new_session=True,  # Ctrl-C is for the service, which then ends it
            )
    except TimeoutError:
        raise ModelError(f"{bundle.path}: its trial run takes more than {SECONDS} s") from None
    if ended.returncode == REFUSED:
        raise ModelError(ended.stdout.decode())
    if ended.returncode == -signal.SIGXCPU:
        raise ModelError(f"{bundle.path}: its trial run takes more than {CPU_SECONDS} s of CPU time")
    if ended.returncode:
        how = signal.Signals(-ended.returncode).name if ended.returncode < 0 else f"code {ended.returncode}"
        said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ModelError(": ".join([f"{bundle.path}: its trial run ended with {how}", *said]))


def main(path: str, digest: str, cpu_seconds: str, memory: str) -> int:
    """The process of a trial: its exit code is 0 or REFUSED, with the reason as output."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for limit, value in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + int(memory)),
        (resource.RLIMIT_CPU, int(cpu_seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (lowest, hard))
    try:
        bundle = read_bundle(Path(path))
        if bundle.manifest.digest != digest:
            raise BundleError(f"{path}: has changed since it was read")
        Model(bundle, "cpu")
    except Exception as error:  # of any library, whatever is wrong with it
        reason = str(error)
        if not isinstance(error, BundleError | ModelError):
            first, *_ = reason.strip().splitlines() or [type(error).__name__]
            reason = f"{path}: its trial run, which may take {int(memory) // 2**20} MiB, failed: {first}"
        print(reason, end="")
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
