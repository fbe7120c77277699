"""A model at run time: a bundle's two sessions of onnxruntime, on the execution provider that really runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes, Codebook, Float32, is_unfamiliar
from export.bundle import DECODER, ENCODER, Bundle, largest_difference, read_bundle
from export.manifest import GraphSpec, Manifest
from service.inference.providers import ModelError, open_sessions
from service.inference.sessions import Session
from service.types import Device


class Model:
    """A loaded model that has reproduced its bundle's golden vectors on ``provider``. Safe to use from many threads.

    Raises BundleError or ModelError if the bundle can't be run on the device asked for.
    """

    def __init__(self, bundle: Bundle, device: Device = "auto", threads: int = 1, *, cuda_graphs: bool = False) -> None:
        self.manifest: Manifest = bundle.manifest
        self.attributes: Attributes = bundle.attributes
        self.codebook: Codebook = bundle.codebook
        self._encoder, self._decoder = open_sessions(bundle, device, threads, cuda_graphs)
        self.provider = self._encoder.provider
        _check_session(self._encoder, self.manifest.encoder, bundle.path / ENCODER)
        _check_session(self._decoder, self.manifest.decoder, bundle.path / DECODER)
        self._reproduce_golden_vectors(bundle)
        self.headers = [(b"x-model-digest", self.digest.encode()), (b"x-execution-provider", self.provider.encode())]
        """What a response says of the model that made it."""

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
        return self._encoder.run(self.inputs(image, conditions))

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
        return self._decoder.run({"z": np.asarray(z, np.float32)})["image"]

    def unfamiliar(self, images: Float32, z: Float32) -> NDArray[np.bool_] | None:
        """Which images [B, C, H, W] of these z [B, D] are unlike what the model was trained on: [B], if it can tell."""
        threshold = self.manifest.unfamiliar
        return None if threshold is None else is_unfamiliar(images, self.decode(z), threshold)

    def _reproduce_golden_vectors(self, bundle: Bundle) -> None:
        golden = bundle.golden
        conditions = {spec.name: golden[spec.name] for spec in self.manifest.encoder.inputs if spec.name != "image"}
        outputs = self.encode(golden["image"], **conditions)
        given = {f"encoder.{name}": array for name, array in outputs.items()}
        given["decoder.image"] = self.decode(golden["z"])
        tolerance = self.manifest.tolerances["fp32"]
        for name, array in given.items():
            if array.shape != golden[name].shape:
                raise ModelError(f"{bundle.path}: gives {name} of shape {list(array.shape)}, not {golden[name].shape}")
            difference = largest_difference(self.attributes, name.removeprefix("encoder."), array, golden[name])
            if not difference <= tolerance:
                raise ModelError(
                    f"{bundle.path}: golden vectors are not reproduced on {self.provider}: "
                    f"{name} differs by {difference:.3g}, tolerance {tolerance:g}"
                )


def _check_session(session: Session, spec: GraphSpec, path: Path) -> None:
    for kind, nodes, specs in (
        ("inputs", session.onnx.get_inputs(), spec.inputs),
        ("outputs", session.onnx.get_outputs(), spec.outputs),
    ):
        found = {n.name: (n.type, tuple(d if isinstance(d, int) else -1 for d in n.shape)) for n in nodes}
        declared = {tensor.name: ("tensor(float)", tensor.shape) for tensor in specs}
        if found != declared:
            raise ModelError(f"{path}: has {kind} {found}, the manifest says {declared}")
