"""A model at run time: a bundle's two graphs in onnxruntime, on the execution provider that really runs them."""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from export.bundle import (
    DECODER,
    ENCODER,
    GOLDEN,
    Bundle,
    GraphSpec,
    Manifest,
    largest_difference,
    read_bundle,
)
from service.settings import Device
from training.attributes import Attributes
from training.codebook import Codebook, Float32
from training.unlikeness import unlikeness

log = logging.getLogger("spritevae.runtime")
CHUNK = 64
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class ModelError(ValueError):
    """A model that can't be run here; the message says why."""


class Model:
    """A loaded model that has reproduced its bundle's golden vectors on ``provider``. Safe to use from many threads.

    Raises BundleError or ModelError if the bundle can't be run on the device asked for.
    """

    def __init__(self, bundle: Bundle, device: Device = "auto", threads: int = 1) -> None:
        self.manifest: Manifest = bundle.manifest
        self.attributes: Attributes = bundle.attributes
        self.codebook: Codebook = bundle.codebook
        self._encoder, self._decoder = _sessions(bundle, device, threads)
        self.provider: str = self._encoder.get_providers()[0]
        _check_graph(self._encoder, self.manifest.encoder, bundle.path / ENCODER)
        _check_graph(self._decoder, self.manifest.decoder, bundle.path / DECODER)
        self._replay(bundle)
        self.headers = [(b"x-model-digest", self.digest.encode()), (b"x-execution-provider", self.provider.encode())]
        """What an answer says of the model that made it."""

    @classmethod
    def load(cls, path: Path | str, device: Device = "auto", threads: int = 1) -> Model:
        """The model of the bundle at ``path``, verified first."""
        return cls(read_bundle(Path(path)), device, threads)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.manifest.name

    @property
    def digest(self) -> str:
        """sha256 that identifies the model."""
        return self.manifest.digest

    def encode(self, image: Float32, **conditions: Float32) -> dict[str, Float32]:
        """``z`` [B, D], ``weights`` [B, sum K], and ``mean``, ``logvar`` where they exist, of images [B, C, H, W].

        Conditions that the encoder takes and that are not given are zeros, which means unknown: it infers them.
        """
        return _run(self._encoder, self.inputs(image, conditions))

    def inputs(self, image: Float32, conditions: Mapping[str, Float32]) -> dict[str, Float32]:
        """All inputs of the encoder, of which the conditions may be left out."""
        given = {"image": image, **conditions}
        return {
            spec.name: np.asarray(given[spec.name], np.float32)
            if spec.name in given
            else np.zeros((len(image), *spec.shape[1:]), np.float32)
            for spec in self.manifest.encoder.inputs
        }

    def decode(self, z: Float32) -> Float32:
        """Images [B, C, H, W] in 0..1 of latent points [B, D]."""
        return _run(self._decoder, {"z": np.asarray(z, np.float32)})["image"]

    def unfamiliar(self, images: Float32, z: Float32) -> NDArray[np.bool_] | None:
        """Which images [B, C, H, W] of these z [B, D] are unlike what the model was trained on: [B], if it can tell."""
        threshold = self.manifest.unfamiliar
        return None if threshold is None else unlikeness(images, self.decode(z)) > threshold

    def _replay(self, bundle: Bundle) -> None:
        golden = bundle.golden
        inputs = [spec.name for spec in self.manifest.encoder.inputs]
        if missing := sorted({*inputs, "z"} - golden.keys()):
            raise ModelError(f"{bundle.path / GOLDEN}: lacks the inputs {', '.join(missing)}")
        outputs = self.encode(golden["image"], **{name: golden[name] for name in inputs if name != "image"})
        given = {f"encoder.{name}": array for name, array in outputs.items()}
        given["decoder.image"] = self.decode(golden["z"])
        tolerance = self.manifest.tolerances["fp32"]
        for name, array in given.items():
            expected = golden.get(name)
            if expected is None or expected.shape != array.shape:
                raise ModelError(f"{bundle.path / GOLDEN}: needs {name} of shape {list(array.shape)}")
            difference = largest_difference(self.attributes, name.removeprefix("encoder."), array, expected)
            if not difference <= tolerance:
                raise ModelError(
                    f"{bundle.path}: golden vectors are not reproduced on {self.provider}: "
                    f"{name} differs by {difference:.3g}, tolerance {tolerance:g}"
                )


def batches(provider: str, threads: int) -> int:
    """How many batches are best run at once: as many as keep all cores busy, one on a GPU."""
    return 1 if provider == CUDA else max(1, len(os.sched_getaffinity(0)) // threads)


def cuda_obstacle() -> str | None:
    """Why CUDA can't be had here; None if the onnxruntime build and an NVIDIA driver with a device are there."""
    if CUDA not in ort.get_available_providers():
        return "this onnxruntime has no CUDA (it takes onnxruntime-gpu, in place of onnxruntime)"
    # The GPU build claims CUDA on any machine, so the driver is asked.
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver here (libcuda.so.1 is missing)"
    if (code := driver.cuInit(0)) != 0:
        return f"the NVIDIA driver finds no usable device (cuInit: {code})"
    return None


def _sessions(bundle: Bundle, device: Device, threads: int) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    if device == "cpu":
        return _pair(bundle, CPU, threads, strict=False)
    reason = cuda_obstacle()
    if reason is None:
        try:
            return _pair(bundle, CUDA, threads, strict=device == "cuda")
        except ModelError as error:
            reason = str(error)
    if device == "cuda":
        raise ModelError(f"CUDA can't be used: {reason}")
    log.info("%s runs on the CPU: %s", bundle.manifest.name, reason)
    return _pair(bundle, CPU, threads, strict=False)


def _pair(
    bundle: Bundle, provider: str, threads: int, *, strict: bool
) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    return _session(bundle, ENCODER, provider, threads, strict), _session(bundle, DECODER, provider, threads, strict)


def _session(bundle: Bundle, file: str, provider: str, threads: int, strict: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if provider == CPU:
        # Batch sizes vary: arenas sized by the largest would never be given back.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        providers: list[Any] = [CPU]
    else:
        ort.preload_dlls()
        providers = [(CUDA, {"use_tf32": "0"})] if strict else [(CUDA, {"use_tf32": "0"}), CPU]
    try:
        session = ort.InferenceSession(bundle.files[file], options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no public base
        raise ModelError(f"{bundle.path / file}: {_first_line(error)}") from error
    if (real := session.get_providers()[0]) != provider:
        raise ModelError(f"{bundle.path / file}: asked for {provider}, onnxruntime took {real}")
    return session


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _check_graph(session: ort.InferenceSession, spec: GraphSpec, path: Path) -> None:
    for kind, nodes, specs in (
        ("inputs", session.get_inputs(), spec.inputs),
        ("outputs", session.get_outputs(), spec.outputs),
    ):
        found = {n.name: (n.type, tuple(d if isinstance(d, int) else -1 for d in n.shape)) for n in nodes}
        declared = {tensor.name: ("tensor(float)", tensor.shape) for tensor in specs}
        if found != declared:
            raise ModelError(f"{path}: has {kind} {found}, the manifest says {declared}")


def _run(session: ort.InferenceSession, feeds: dict[str, Float32]) -> dict[str, Float32]:
    names = [output.name for output in session.get_outputs()]
    count = len(next(iter(feeds.values())))
    chunks = [
        session.run(names, {name: array[start : start + CHUNK] for name, array in feeds.items()})
        for start in range(0, max(count, 1), CHUNK)
    ]
    return {name: np.concatenate(parts) for name, parts in zip(names, zip(*chunks, strict=True), strict=True)}
