"""The folder of files by which worker processes share their metrics."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# prometheus_client's name for it.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX, LOCK = "spritevae-metrics-", "lock"


@contextmanager
def shared() -> Iterator[None]:
    """Make the folder, in memory if possible, for this process and those that it starts; remove it at the end.

    Folders that a service which was killed has left are removed, too.
    """
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    remove_abandoned(Path(place))
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place) as folder:
        Path(folder, LOCK).touch()
        os.environ[VARIABLE] = folder
        held = hold()
        try:
            yield
        finally:
            os.close(held)


def hold() -> int:
    """Keep the folder from being taken for an abandoned one while this process lives, or until the lock is closed."""
    lock = os.open(Path(os.environ[VARIABLE], LOCK), os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def forget(pid: int) -> None:
    """Drop the gauges of a process that has ended; its counters are kept."""
    from prometheus_client.multiprocess import mark_process_dead  # a process that serves alone needs none of it

    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def remove_abandoned(place: Path) -> None:
    """Remove this user's folders there that no process holds; the kernel lets go of a lock when a process ends."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another service removes it, or holds it
            if folder.lstat().st_uid != os.getuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
