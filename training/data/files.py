"""Trees of files: a folder, a zip or a tar archive, or several archives, each read in place.

Names are relative, with slashes between. What operating systems strew (``.DS_Store``, ``Thumbs.db``, ``__MACOSX``,
hidden files) is passed over. Archives are never extracted, so that no name in them can lead out of a folder.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from training.data.dataset import DataError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# For tar archives, by the end of their names.
DECOMPRESSORS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
# What readers of archives raise for damaged, encrypted or unknown ones.
DAMAGE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)
STREWN = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "lost+found"})


class Files(Protocol):
    """Files that are read by name."""

    path: Path
    """The folder or archive, for messages."""

    @property
    def names(self) -> Sequence[str]:
        """All names, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises OSError or DataError if it can't be read."""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def find(self, name: str) -> str:
        """The name under which a file is known that a table calls ``name``; raises DataError if there is none."""

    def state(self, name: str) -> str:
        """What changes when a file does: size and time."""


def open_files(path: Path) -> Files:
    """The files of a folder or of an archive; of a folder of nothing but archives, the files in all of them.

    Raises DataError for anything else.
    """
    if not path.is_dir():
        return Archive(path)
    folder = Folder(path)
    if folder.names and all(is_archive(Path(name)) for name in folder.names):
        return Archives(path, folder.names)
    return folder


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of an archive."""
    return path.name.lower().endswith(ARCHIVES)


def is_strewn(name: str) -> bool:
    """Whether a file is one of those that operating systems strew."""
    return any(part in STREWN or part.startswith(".") for part in PurePosixPath(name).parts)


def _state(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


class Folder:
    """The files of a folder. A link in it may lead to a file in it, but not out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = path.resolve()

    @cached_property
    def names(self) -> Sequence[str]:
        """All names, sorted."""
        found = []
        for folder, folders, files in os.walk(self.path):
            folders[:] = [each for each in folders if not is_strewn(each)]
            below = Path(folder).relative_to(self.path)
            found += [(below / each).as_posix() for each in files if not is_strewn(each)]
        return sorted(found)

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return (self.path / name).read_bytes()

    def has(self, name: str) -> bool:
        """Whether there is a file of this name, in the folder."""
        try:
            return bool(self.find(name))
        except DataError:
            return False

    def find(self, name: str) -> str:
        """The name of a file with links resolved; raises DataError where that is outside the folder, or nothing."""
        try:
            file = (self.path / name).resolve()
            inside, exists = file.is_relative_to(self._root), file.is_file()
        except (OSError, ValueError) as error:
            raise DataError(f"{name!r} can't name a file ({error})") from error
        if not inside:
            raise DataError(f"{name!r} lies outside the folder {self.path}")
        if not exists:
            raise DataError(f"there is no image {name!r} in {self.path}")
        return file.relative_to(self._root).as_posix()

    def state(self, name: str) -> str:
        """Size and time of a file."""
        return _state(self.path / name)


class Archive:
    """The files of a zip or tar archive, below the one folder that holds all of them, if there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.name.lower().endswith(".zip"):
                self._members: _Zip | _Tar = _Zip(path)
            else:
                self._members = _Tar(path)
        except DAMAGE as error:
            kinds = ", ".join(ARCHIVES)
            raise DataError(
                f"{path}: can't be read, or is no whole archive ({error or type(error).__name__}); archives are {kinds}"
            ) from error
        names = sorted(name for name in self._members.names if not is_strewn(name))
        tops = {name.partition("/")[0] for name in names}
        self._below = f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""
        self.names: Sequence[str] = [name.removeprefix(self._below) for name in names]
        self._known = frozenset(self.names)

    def read(self, name: str) -> bytes:
        """The bytes of a member; raises DataError if the archive is damaged there."""
        try:
            return self._members.read(self._below + name)
        except DAMAGE as error:
            raise DataError(
                f"{self.path}: {name!r} can't be read: damaged, or encrypted ({error or type(error).__name__})"
            ) from error

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self._known

    def find(self, name: str) -> str:
        """The name of a member, without ``.`` and ``..``; raises DataError if there is none."""
        plain = os.path.normpath(name.replace("\\", "/")) if name else name
        if plain not in self._known:
            raise DataError(f"there is no image {name!r} in {self.path}")
        return plain

    def state(self, name: str) -> str:
        """Size and time of the archive, as a member changes with it only."""
        return _state(self.path)


class Archives:
    """The files of several archives in a folder, each below the name of its archive."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self._archives = {name: Archive(path / name) for name in names}
        self._split = {f"{a}/{name}": (a, name) for a, archive in self._archives.items() for name in archive.names}
        self.names: Sequence[str] = sorted(self._split)

    def read(self, name: str) -> bytes:
        """The bytes of a member; raises DataError if its archive is damaged there."""
        archive, member = self._split[name]
        return self._archives[archive].read(member)

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self._split

    def find(self, name: str) -> str:
        """The name as it is; raises DataError if there is none."""
        if name not in self._split:
            raise DataError(f"there is no image {name!r} in {self.path}")
        return name

    def state(self, name: str) -> str:
        """Size and time of the file's archive."""
        return _state(self.path / self._split[name][0])


class _Zip:
    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self.names = [info.filename for info in self._zip.infolist() if not info.is_dir()]

    def read(self, name: str) -> bytes:
        return self._zip.read(name)


def _temporary() -> IO[bytes]:
    """A file without a name, which goes when it is closed or the process ends."""
    return tempfile.TemporaryFile()


class _Tar:
    """A tar archive. A compressed one is unpacked into a temporary file, as it can only be read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._opened = ExitStack()  # closes its files when this object goes
        file: IO[bytes] = self._opened.enter_context(path.open("rb"))
        if decompress := DECOMPRESSORS.get(path.suffix.lower()):
            unpacked = self._opened.enter_context(_temporary())
            with decompress(file) as packed:
                shutil.copyfileobj(packed, unpacked)
            unpacked.seek(0)
            file = unpacked
        self._tar = self._opened.enter_context(tarfile.TarFile(fileobj=file))
        self._members = {member.name.removeprefix("./"): member for member in self._tar if member.isfile()}
        # tarfile takes a head that is cut off for the end of the archive.
        if rest := (file.seek(0, os.SEEK_END) - self._tar.offset) % tarfile.BLOCKSIZE:
            raise EOFError(f"{rest} bytes after its last file")
        self.names = list(self._members)

    def read(self, name: str) -> bytes:
        file = self._tar.extractfile(self._members[name])
        assert file is not None  # it is a plain file
        data = file.read()
        if len(data) != self._members[name].size:
            raise EOFError("the archive ends within it")
        return data
