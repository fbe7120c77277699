"""The bundle: a folder that holds a whole model, and the contract between training and serving.

* ``manifest.json`` describes the model and lists size and sha256 of every other file.
* ``encoder.onnx`` and ``decoder.onnx`` are the two ONNX graphs.
* ``codebook.npz`` maps attribute weights to latent space.
* ``golden.npz`` holds inputs and the outputs that they must give.
* ``card.md`` and its pictures describe the model to people.

pydantic and numpy only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from attributes import Attributes, Codebook, Float32
from export.arrays import read_arrays
from export.external_data import refuse_external_data
from export.manifest import NAME, FileSpec, Manifest, digest_of

MANIFEST = "manifest.json"
ENCODER, DECODER, CODEBOOK, GOLDEN, CARD = "encoder.onnx", "decoder.onnx", "codebook.npz", "golden.npz", "card.md"
REQUIRED = (ENCODER, DECODER, CODEBOOK, GOLDEN, CARD)
# Of all files of a bundle together, which are read into memory; of its manifest; and how many there may be, how deep.
MAX_BYTES, MAX_MANIFEST_BYTES, MAX_FILES, MAX_DEPTH = 512 * 2**20, 2 * 2**20, 256, 16
# What systems and mounts put into folders on their own, in lower case, besides names that begin with a dot.
STREWN = {
    "$recycle.bin",
    "@eadir",
    "__macosx",
    "desktop.ini",
    "lost+found",
    "system volume information",
    "thumbs.db",
}


class BundleError(ValueError):
    """A bundle that is incomplete, damaged or of another format; the message names the file."""


def largest_difference(attributes: Attributes, name: str, a: Float32, b: Float32) -> float:
    """The largest absolute difference of two arrays [B, ...] of output ``name``.

    In ``weights`` a continuous attribute has values in its unit, maybe in the thousands. Their differences count as
    shares of the attribute's range.
    """
    difference = np.abs(a.astype(np.float64) - b)
    if name == "weights":
        for attribute in attributes:
            if attribute.kind == "continuous":
                low, high = attribute.bounds
                difference[:, attributes.columns(attribute.name)] /= max(high - low, 1.0)
    return float(difference.max())


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: its manifest and the contents of its files, so that no file is read twice."""

    path: Path
    manifest: Manifest
    files: dict[str, bytes]

    @property
    def attributes(self) -> Attributes:
        """The model's attributes."""
        return Attributes(self.manifest.attributes)

    @property
    def codebook(self) -> Codebook:
        """The codebook; raises BundleError if its arrays do not have the shapes that the manifest requires."""
        manifest, attributes, length = self.manifest, self.attributes, self.manifest.latent_length
        arrays = self._arrays(CODEBOOK, {"matrix": (attributes.total, length), "offset": (length,)})
        return Codebook(attributes, manifest.latents, **arrays, conditions=manifest.conditions, group=manifest.group)

    @property
    def golden(self) -> dict[str, Float32]:
        """Inputs ``image``, ``z`` and conditions, and expected outputs ``encoder.NAME`` and ``decoder.NAME``.

        Raises BundleError if one is missing, or has another shape than the manifest says, or another number of rows.
        """
        graphs = {"encoder": self.manifest.encoder, "decoder": self.manifest.decoder}
        inputs = {each.name: each.shape for graph in graphs.values() for each in graph.inputs}
        outputs = {f"{half}.{each.name}": each.shape for half, graph in graphs.items() for each in graph.outputs}
        return self._arrays(GOLDEN, inputs | outputs)

    def _arrays(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
        try:
            return read_arrays(self.files[name], shapes)
        except ValueError as error:
            raise BundleError(f"{self.path / name}: {error}") from error


def read_bundle(path: Path) -> Bundle:
    """Read a bundle, and verify the manifest, its digest, and size and sha256 of every file.

    No other file is parsed before this is done. Links are followed: what counts is that the bytes are those listed.
    Raises BundleError that names the file if one is missing, not listed, no plain file, or different from what the
    manifest lists, or if a graph has parts in other files. Files that ``files_below`` leaves out need not be listed.
    """
    try:
        written = _content(path / MANIFEST, at_most=MAX_MANIFEST_BYTES)
        manifest = Manifest.model_validate_json(written)
    except OSError as error:
        raise BundleError(f"{path}: no bundle here: {MANIFEST} can't be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BundleError(f"{path / MANIFEST}: {where}: {first['msg']}") from error
    if manifest.digest != digest_of(json.loads(written)):
        raise BundleError(f"{path / MANIFEST}: its digest does not match its content")
    size = sum(spec.size for spec in manifest.files.values())
    if len(manifest.files) > MAX_FILES or size > MAX_BYTES:
        got = f"{len(manifest.files)} files of {size} bytes together"
        raise BundleError(f"{path / MANIFEST}: lists {got}; accepts {MAX_FILES} files of {MAX_BYTES} bytes together")
    for name in sorted({*REQUIRED} - manifest.files.keys()):
        raise BundleError(f"{path / MANIFEST}: does not list {name}")
    missing = {*manifest.files}
    try:
        for name in files_below(path, manifest.files):
            if name not in manifest.files and name != MANIFEST:
                raise BundleError(f"{path / name}: not listed in the manifest")
            missing.discard(name)
    except OSError as error:
        raise BundleError(f"{error.filename or path}: can't be read ({error.strerror})") from error
    for name in sorted(missing):
        raise BundleError(f"{path / name}: listed in the manifest, but missing")
    files = {name: _verified(path / name, spec) for name, spec in manifest.files.items()}
    for name in (ENCODER, DECODER):
        try:
            refuse_external_data(files[name])
        except ValueError as error:
            raise BundleError(f"{path / name}: {error}") from error
    return Bundle(path, manifest, files)


def files_below(folder: Path, listed: Collection[str] = (), within: str = "") -> Iterator[str]:
    """Names, relative to ``folder``, of all that is in it and no folder; raises OSError, or BundleError past MAX_DEPTH.

    Left out, unless ``listed``, is what systems and mounts strew, with all that is below: names that begin with a dot
    (``.DS_Store``, ``.git``, ``..data`` of a ConfigMap) and those of ``STREWN``. A link to a folder is entered only
    where ``listed`` has files below it: so a link to a folder above makes no endless loop.
    """
    if within.count("/") > MAX_DEPTH:
        raise BundleError(f"{folder / within}: is more than {MAX_DEPTH} folders deep")
    for entry in (folder / within).iterdir():
        name = f"{within}{entry.name}"
        holds_listed = any(each.startswith(f"{name}/") for each in listed)
        strewn = entry.name.startswith(".") or entry.name.lower() in STREWN
        if strewn and name not in listed and not holds_listed:
            continue
        if entry.is_dir() and (holds_listed or not entry.is_symlink()):
            yield from files_below(folder, listed, f"{name}/")
        else:
            yield name


def _content(file: Path, *, size: int | None = None, at_most: int = MAX_BYTES) -> bytes:
    """All bytes of a plain file, or of the one that a link leads to; raises BundleError for others, or OSError.

    ``size`` is how many bytes it must have, ``at_most`` how many it may have.
    """
    found = file.stat()
    # Looked at before it is opened: opening a FIFO waits for somebody who writes, opening a device may do anything.
    if not stat.S_ISREG(found.st_mode):
        raise BundleError(f"{file}: must be a plain file or a link to one, not a folder, device, FIFO or socket")
    if found.st_size > at_most:
        raise BundleError(f"{file}: has {found.st_size} bytes; accepts at most {at_most}")
    expected = found.st_size if size is None else size
    if found.st_size == expected:
        with file.open("rb") as opened:
            content = opened.read(expected + 1)  # one byte more shows that it has grown
        if len(content) == expected:
            return content
    raise BundleError(f"{file}: must be a plain file of {expected} bytes")


def _verified(file: Path, spec: FileSpec) -> bytes:
    try:
        content = _content(file, size=spec.size)
    except OSError as error:
        what = "leads to nothing that can be read" if file.is_symlink() else "can't be read"
        raise BundleError(f"{file}: {what} ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != spec.sha256:
        raise BundleError(f"{file}: sha256 differs from the manifest's")
    return content


def check_name(name: str) -> None:
    """Raises BundleError if a model can't have this name."""
    if not re.match(NAME, name):
        raise BundleError(f"{name!r} can't name a model: at most 64 letters, digits, '_', '.' and '-', no sign first")


@contextmanager
def writing_bundle(path: Path) -> Iterator[Path]:
    """A temporary folder for a bundle's files, renamed to ``path`` at the end of the block, or deleted if it raises.

    A bundle at ``path`` is replaced. If ``path`` is a link, it stays, and what it leads to is replaced. Raises
    BundleError before any work is done if anything else is there, and OSError with the name of ``path`` if it can't be
    written.
    """
    path = Path(os.path.realpath(path))
    if path.is_symlink():
        raise BundleError(f"{path}: a link that leads back to itself; give another place")
    if path.exists() and not (path / MANIFEST).is_file():
        raise BundleError(f"{path}: exists and is no bundle; give another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    drafts = f".{path.name}."
    try:
        with tempfile.TemporaryDirectory(prefix=drafts, dir=path.parent) as temporary:
            draft = Path(temporary) / "new"
            draft.mkdir()
            yield draft
            _replace(path, draft, Path(temporary) / "old")
    except OSError as error:
        # That of a write names no file, others may name one in the draft, which is gone.
        if error.errno is None or not (error.filename is None or drafts in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(path: Path, draft: Path, old: Path) -> None:
    """Rename ``draft`` to ``path``, and what is there to ``old``."""
    if path.exists():
        os.rename(path, old)
    try:
        os.rename(draft, path)
    except OSError:
        if old.exists() and not path.exists():
            os.rename(old, path)
        raise


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Add size and sha256 of all files below a folder, and the digest, to ``manifest``, and write it there.

    Raises BundleError for what ``read_bundle`` then refuses.
    """
    files = {}
    for name in sorted(files_below(folder)):
        if name != MANIFEST:
            content = (folder / name).read_bytes()
            files[name] = FileSpec(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    manifest = manifest.model_copy(update={"files": files})
    manifest = manifest.model_copy(update={"digest": digest_of(manifest.model_dump(mode="json"))})
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")
    read_bundle(folder)
    return manifest
