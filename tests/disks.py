"""Real file systems that are small, full or read-only, in a mount namespace of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT

# Root mounts in a namespace of mounts alone; others need a namespace of users too, which some systems forbid.
NEW, JOIN = (["-m"], ["-m"]) if os.geteuid() == 0 else (["-Urm"], ["-U", "-m", "--preserve-credentials"])


class Disk:
    """A file system in memory, which only processes started by ``run`` see at ``path``; tests see it at ``seen``."""

    def __init__(self, path: Path, pid: int) -> None:
        self.path, self.seen, self._pid = path, Path(f"/proc/{pid}/root{path}"), pid

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that sees the file system."""
        joined = ["nsenter", "-t", str(self._pid), *JOIN, f"--wd={ROOT}", "--", *command]
        return subprocess.run(joined, capture_output=True, text=True, check=False, timeout=600, cwd=ROOT)

    def spritevae(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run our command."""
        return self.run(sys.executable, "-m", "spritevae", *map(str, arguments))

    def leave(self, size: int) -> None:
        """Resize the file system, so that ``size`` more bytes fit."""
        blocks = os.statvfs(self.seen)
        used = (blocks.f_blocks - blocks.f_bfree) * blocks.f_frsize
        self.remount(f"size={used + size}")

    def remount(self, options: str) -> None:
        """Change the options of the mount: ``ro`` binds root as well, other than the modes of files."""
        done = self.run("mount", "-o", f"remount,{options}", str(self.path))
        assert done.returncode == 0, done.stderr

    def files(self) -> dict[str, bytes]:
        """The content of all files by their path."""
        return {str(file.relative_to(self.seen)): file.read_bytes() for file in self.seen.rglob("*") if file.is_file()}


@contextmanager
def small_disk(path: Path, options: str = "size=64m") -> Iterator[Disk]:
    """A file system in memory, mounted at a new folder; the test is skipped where that isn't allowed."""
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        pytest.skip("needs unshare and nsenter (util-linux)")
    path.mkdir()
    # The shell waits until its standard input is closed; the namespace ends with it.
    script = f'mount -t tmpfs -o {options} none "$0" && echo mounted && read -r line'
    with subprocess.Popen(
        ["unshare", *NEW, "sh", "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip(f"a file system can't be mounted here: {holder.stderr.read().strip()}")
        yield Disk(path, holder.pid)
        holder.communicate()
