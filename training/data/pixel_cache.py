"""Decoded images on disk, mapped into memory: a data set is decoded once, and memory stays flat.

The cache lies in the user's cache directory, or where ``SPRITEVAE_CACHE`` says. What was not used for the longest time
is removed where an entry would exceed the limit. Several processes may use the cache at once, and each may be killed:
entries are written beside and renamed, under locks that the kernel lets go when a process ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from training.atomic_files import naming
from training.data.dataset import DataError

PIXELS = "pixels.bin"
ENTRY = "entry.json"
LOCKS = "locks"
# For entries that are being written, and for the locks of those that are in use.
PART, IN_USE = ".part", ".used"
FOLDER, LIMIT = "SPRITEVAE_CACHE", "SPRITEVAE_CACHE_GB"
DEFAULT_LIMIT = 20.0
# Writes pixels to a file, and returns their shape [N, H, W, C] and the rows [N] that they are of.
Write = Callable[[IO[bytes]], tuple[tuple[int, ...], NDArray[np.intp]]]


class Decoded:
    """Decoded images [N, H, W, C], in memory or mapped from a file that stays as it is while they are in use."""

    def __init__(self, images: NDArray[np.uint8], rows: NDArray[np.intp], lock: IO[bytes] | None = None) -> None:
        self.images = images
        self.rows = rows
        """[N]: the row of the listing that each image is of; fewer than those of the listing where some are bad."""
        self._lock = lock  # held until this object goes


class PixelCache:
    """The folder of entries; raises DataError for a limit that is no number."""

    def __init__(self) -> None:
        given, limit = os.environ.get(FOLDER), os.environ.get(LIMIT) or str(DEFAULT_LIMIT)
        self.folder = Path(given) if given else user_cache_path("spritevae") / "pixels"
        try:
            self.limit = int(float(limit) * 1e9)
        except (ValueError, OverflowError):
            raise DataError(f"{LIMIT} is {limit!r}; takes a number of gigabytes, such as {DEFAULT_LIMIT:g}") from None

    def load(self, key: str) -> Decoded | None:
        """The entry of a key; None if there is none."""
        if not (self.folder / key).is_dir():
            return None
        lock = self._lock(f"{key}{IN_USE}", fcntl.LOCK_SH)
        folder = self.folder / key
        try:
            entry = json.loads((folder / ENTRY).read_text())
            os.utime(folder)
        except FileNotFoundError:  # removed by another process meanwhile
            return None
        images = np.memmap(folder / PIXELS, np.uint8, mode="r", shape=tuple(entry["shape"]))
        return Decoded(images, np.array(entry["rows"], np.intp), lock)

    def store(self, key: str, size: int, write: Write) -> Decoded:
        """The entry of a key, written if no other process has written it meanwhile.

        ``write`` writes the pixels, about ``size`` bytes, and returns their shape and rows. Raises DataError if the
        limit is lower, and OSError that names the file.
        """
        if size > self.limit:
            raise DataError(
                f"the decoded images take {size / 1e9:.1f} GB, but the cache {self.folder} may have "
                f"{self.limit / 1e9:g}; raise it with {LIMIT}"
            )
        with naming(self.folder):
            (self.folder / LOCKS).mkdir(parents=True, exist_ok=True)
        with self._lock(key, fcntl.LOCK_EX):
            if not (self.folder / key).is_dir():
                self._make_room(size)
                with self._part(key) as part:
                    with naming(part / PIXELS), (part / PIXELS).open("w+b") as file:
                        shape, rows = write(file)
                    with naming(part / ENTRY):
                        (part / ENTRY).write_text(json.dumps({"shape": shape, "rows": rows.tolist()}))
                    part.rename(self.folder / key)
                print(f"Decoded images are kept in {self.folder / key} ({size / 1e9:.2f} GB)", file=sys.stderr)
            decoded = self.load(key)
        assert decoded is not None
        return decoded

    def _lock(self, name: str, kind: int) -> IO[bytes]:
        """The lock of a name, waited for if another process has it; closing it lets go."""
        file = (self.folder / LOCKS / name).open("ab")
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another process decodes the same images; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(file, kind)
        return file

    @contextmanager
    def _part(self, key: str) -> Iterator[Path]:
        """A folder to write an entry in; what a killed process has left of it is removed first."""
        part = self.folder / f"{key}{PART}"
        shutil.rmtree(part, ignore_errors=True)
        with naming(part):
            part.mkdir()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _make_room(self, size: int) -> None:
        """Remove entries that nobody uses, those used longest ago first, until ``size`` more bytes are allowed."""
        entries = {folder: _size(folder) for folder in self.folder.iterdir() if folder.name != LOCKS}
        for folder in sorted(entries, key=lambda each: each.stat().st_mtime):
            if sum(entries.values()) + size <= self.limit:
                return
            writing = folder.name.endswith(PART)
            name = folder.name.removesuffix(PART) if writing else f"{folder.name}{IN_USE}"
            with (self.folder / LOCKS / name).open("ab") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(folder, ignore_errors=True)
                del entries[folder]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
