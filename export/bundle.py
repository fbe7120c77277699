"""The bundle: a folder that holds a whole model, and the contract between training and serving.

``manifest.json`` describes it and bears the sha256 of every other file; ``encoder.onnx`` and ``decoder.onnx`` are its
halves, ``codebook.npz`` places attribute weights in latent space, ``golden.npz`` holds inputs with the outputs they
must give, ``card.md`` (with pictures beside it) tells people what they have. pydantic and numpy only.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from attributes import Attribute, Attributes, Codebook, Float32, Group, Part

FORMAT: Literal[1] = 1
MANIFEST = "manifest.json"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
ENCODER, DECODER, CODEBOOK, GOLDEN, CARD = "encoder.onnx", "decoder.onnx", "codebook.npz", "golden.npz", "card.md"
REQUIRED = (ENCODER, DECODER, CODEBOOK, GOLDEN, CARD)
CONDITION = ("condition", "condition_known")
"""What an encoder with conditions takes besides the image: weights [B, sum K] and whether they are known [B, 1]."""


class BundleError(ValueError):
    """A bundle that is incomplete, damaged or of another format; the message names the file."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageSpec(_Strict):
    """Size of the model's images; pixel values lie in 0..1."""

    height: int = Field(ge=28, le=128)
    width: int = Field(ge=28, le=128)
    channels: Literal[1, 3, 4]

    @property
    def shape(self) -> tuple[int, int, int]:
        """[H, W, C]."""
        return self.height, self.width, self.channels


class TensorSpec(_Strict):
    """An input or output of a graph; -1 stands for the batch."""

    name: str
    shape: tuple[int, ...]


class GraphSpec(_Strict):
    """Inputs and outputs of one of the two graphs."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class FileSpec(_Strict):
    """What a file of the bundle must be."""

    sha256: str
    size: int


class Manifest(_Strict):
    """All that a service must know of a model before it touches another file."""

    format: Literal[1] = FORMAT
    name: str = Field(pattern=NAME)
    system: str
    image: ImageSpec
    attributes: tuple[Attribute, ...]
    latents: tuple[Part, ...]
    conditions: tuple[str, ...] = ()
    """The discrete attributes that the encoder may be told, by its inputs ``condition`` and ``condition_known``."""
    group: Group | None = None
    encoder: GraphSpec
    decoder: GraphSpec
    opset: int
    tolerances: dict[Literal["fp32", "tf32", "fp16"], float]
    unfamiliar: float | None = Field(default=None, gt=0)
    """The ``unlikeness`` beyond which an image is unlike what the model was trained on."""
    training: dict[str, Any]
    scores: dict[str, Any]
    files: dict[str, FileSpec] = {}
    digest: str = ""

    @model_validator(mode="after")
    def _owned(self) -> Manifest:
        """Parts name attributes and follow each other without gaps, so that each dimension has one owner."""
        attributes = Attributes(self.attributes)
        end = 0
        for part in self.latents:
            if part.attribute not in {each.name for each in attributes} or part.start != end or part.stop <= end:
                raise ValueError(f"latents: {part} does not follow dimension {end}, or names no attribute")
            end = part.stop
        if not self.latents or "fp32" not in self.tolerances:
            raise ValueError("needs at least one latent part, and a tolerance for fp32")
        return self

    @model_validator(mode="after")
    def _conditioned(self) -> Manifest:
        """The encoder takes conditions if, and only if, there are some."""
        for name in self.conditions:
            self._discrete_part("conditions", name)
        height, width, channels = self.image.shape
        expected: dict[str, tuple[int, ...]] = {"image": (-1, channels, height, width)}
        if self.conditions:
            expected |= {CONDITION[0]: (-1, Attributes(self.attributes).total), CONDITION[1]: (-1, 1)}
        inputs = {tensor.name: tensor.shape for tensor in self.encoder.inputs}
        if inputs != expected:
            raise ValueError(f"encoder: has inputs {inputs}; with conditions {list(self.conditions)} these: {expected}")
        return self

    @model_validator(mode="after")
    def _coded(self) -> Manifest:
        """Codes lie in the posterior, and so do all of a group's, of which evidence is made."""
        for part in self.latents:
            if part.code is not None and not 0 <= part.code < self.posterior_length:
                raise ValueError(f"latents: {part} lies beyond the posterior's {self.posterior_length} codes")
        if self.group is not None:
            part = self._discrete_part("group", self.group.attribute)
            first = part.start if part.code is None else part.code
            if first + part.stop - part.start > self.posterior_length:
                raise ValueError(f"group: {part} needs mean and logvar of the encoder, a code for each dimension")
            if not 0 < self.group.tau < math.inf:
                raise ValueError(f"group: tau must be positive, got {self.group.tau}")
        return self

    def _discrete_part(self, field: str, name: str) -> Part:
        part = next((part for part in self.latents if part.attribute == name), None)
        if part is None or Attributes(self.attributes).named(name).kind == "continuous":
            raise ValueError(f"{field}: {name!r} is no discrete attribute with a part of the latents")
        return part

    @property
    def latent_length(self) -> int:
        """D, the length of z."""
        return self.latents[-1].stop

    @property
    def posterior_length(self) -> int:
        """L, how many codes the encoder gives mean and logvar of; 0 where it gives none."""
        lengths = {tensor.name: tensor.shape[1] for tensor in self.encoder.outputs if len(tensor.shape) == 2}
        return min(lengths.get("mean", 0), lengths.get("logvar", 0))


def largest_difference(attributes: Attributes, name: str, a: Float32, b: Float32) -> float:
    """The largest difference of two arrays of output ``name``.

    In ``weights`` the values of continuous attributes are in units, thousands maybe: they count as shares of the range.
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
    """A verified bundle: its manifest, and its files' contents as bytes, so that nothing is read twice."""

    path: Path
    manifest: Manifest
    files: dict[str, bytes]

    @property
    def attributes(self) -> Attributes:
        """The model's vocabulary."""
        return Attributes(self.manifest.attributes)

    @property
    def codebook(self) -> Codebook:
        """The codebook; raises BundleError if its arrays have other shapes than the manifest says."""
        arrays = self._arrays(CODEBOOK)
        attributes, length = self.attributes, self.manifest.latent_length
        matrix, offset = arrays.get("matrix"), arrays.get("offset")
        if matrix is None or offset is None or matrix.shape != (attributes.total, length) or offset.shape != (length,):
            raise BundleError(f"{self.path / CODEBOOK}: needs matrix [{attributes.total}, {length}], offset [{length}]")
        manifest = self.manifest
        return Codebook(attributes, manifest.latents, matrix, offset, manifest.conditions, manifest.group)

    @property
    def golden(self) -> dict[str, Float32]:
        """Inputs ``image``, ``z`` and conditions with expected outputs ``encoder.NAME`` and ``decoder.NAME``."""
        return self._arrays(GOLDEN)

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        try:
            with np.load(BytesIO(self.files[name]), allow_pickle=False) as arrays:
                return dict(arrays)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(f"{self.path / name}: {error}") from error


def digest_of(manifest: dict[str, Any]) -> str:
    """sha256 of a manifest's canonical JSON, as it is written, without its ``digest``.

    Of what is written, so that a bundle stays valid when later versions know more fields.
    """
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_bundle(path: Path) -> Bundle:
    """Read a bundle and verify the manifest, its digest, and size and sha256 of every file, before anything is parsed.

    Raises BundleError that names the file for whatever is missing, unlisted, linked or different.
    """
    try:
        written = (path / MANIFEST).read_bytes()
        manifest = Manifest.model_validate_json(written)
    except OSError as error:
        raise BundleError(f"{path}: no bundle here: {MANIFEST} can't be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BundleError(f"{path / MANIFEST}: {where}: {first['msg']}") from error
    if manifest.digest != digest_of(json.loads(written)):
        raise BundleError(f"{path / MANIFEST}: its digest does not match its content")
    present = {str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir() or file.is_symlink()}
    for name in sorted(present - manifest.files.keys() - {MANIFEST}):
        raise BundleError(f"{path / name}: not listed in the manifest")
    for name in sorted({*REQUIRED} - manifest.files.keys()):
        raise BundleError(f"{path / MANIFEST}: does not list {name}")
    for name in sorted(manifest.files.keys() - present):
        raise BundleError(f"{path / name}: listed in the manifest, but missing")
    return Bundle(path, manifest, {name: _verified(path / name, spec) for name, spec in manifest.files.items()})


def _verified(file: Path, spec: FileSpec) -> bytes:
    try:
        if file.is_symlink() or file.stat().st_size != spec.size:
            raise BundleError(f"{file}: must be a plain file of {spec.size} bytes")
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: can't be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != spec.sha256:
        raise BundleError(f"{file}: sha256 differs from the manifest's")
    return content


def check_name(name: str) -> None:
    """Raises BundleError for a name that a model can't have."""
    if not re.match(NAME, name):
        raise BundleError(f"{name!r} can't name a model: at most 64 letters, digits, '_', '.' and '-', no sign first")


@contextmanager
def writing_bundle(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place when the block ends well, and vanishes when it fails.

    A bundle already at ``path`` is replaced; anything else there raises BundleError before any work is done.
    """
    if path.exists() and not (path / MANIFEST).is_file():
        raise BundleError(f"{path}: exists and is no bundle; give another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
        draft = Path(temporary) / "new"
        draft.mkdir()
        yield draft
        old = Path(temporary) / "old"
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(draft, path)
        except OSError:
            if old.exists() and not path.exists():
                os.rename(old, path)
            raise


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest`` into a folder, completed with size and sha256 of all its files and with its own digest."""
    files = {
        str(file.relative_to(folder)): FileSpec(
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(), size=file.stat().st_size
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    manifest = manifest.model_copy(update={"files": files})
    manifest = manifest.model_copy(update={"digest": digest_of(manifest.model_dump(mode="json"))})
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")
    return manifest
