"""A run or a bundle in Python: images to attribute values and back, as numpy arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attributes import Attributes, Float32
from export.bundle import MANIFEST
from export.manifest import CONDITION
from training.autoencoder import Autoencoder, Encoded, to_uint8
from training.chunks import chunks

# Images that are encoded or decoded at once.
CHUNK = 64

Device = Literal["auto", "cpu", "cuda"]


class Encoding(NamedTuple):
    """What ``Model.encode`` returns for a batch of images."""

    values: dict[str, NDArray[Any]]
    """For each attribute [B]: labels of a nominal one, positions or values of others."""
    confidence: dict[str, NDArray[Any]]
    """For each attribute [B]: probability of its most probable class."""
    weights: Float32
    """[B, sum K]: class probabilities, and values of continuous attributes."""
    z: Float32
    """[B, D]."""


class Model:
    """Both directions of a trained model, batched and deterministic. ``load`` makes one."""

    def __init__(
        self,
        name: str,
        data: str,
        data_attributes: Attributes,
        autoencoder: Autoencoder,
        reading: Mapping[str, Any],
    ) -> None:
        self.name = name
        # What it was trained on, as ``--data`` takes it, and how that is read, as ``Reading.of`` takes it.
        self.data, self.reading = data, reading
        # The attributes of that data; the model's own may be others.
        self.data_attributes = data_attributes
        self.autoencoder = autoencoder

    @property
    def attributes(self) -> Attributes:
        """The model's vocabulary."""
        return self.autoencoder.codebook.attributes

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C] of its images."""
        return self.autoencoder.image_shape

    def encode(self, images: ArrayLike, given: Mapping[str, Any] | None = None) -> Encoding:
        """Attribute values of images [B, H, W, C], [B, H, W], or one [H, W, C] or [H, W] (then B is 1).

        Images are uint8 in 0..255, or floats in 0..1, which are rounded to 8 bits. ``given`` are the conditions of a
        conditional model, the same for all images. Raises ValueError on another shape or range, or other conditions.
        """
        batch = self._as_uint8(images)  # [B, H, W, C]
        conditions = None if given is None else self._condition_weights(given)  # [1, sum K]
        encoded = []
        for chunk in chunks(batch, CHUNK):
            repeated = None if conditions is None else np.repeat(conditions, len(chunk), axis=0)
            encoded.append(self.autoencoder.encode(chunk, repeated))
        z, weights, *_ = (np.concatenate(parts) for parts in zip(*encoded, strict=True))
        reading = self.attributes.read(weights)
        values, confidence = {}, {}
        for index, attribute in enumerate(self.attributes):
            values[attribute.name] = np.array([attribute.value(position) for position in reading.position[:, index]])
            confidence[attribute.name] = reading.confidence[:, index]
        return Encoding(values, confidence, weights, z)

    def decode(
        self,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        /,
        *,
        z: ArrayLike | None = None,
        **named: Any,
    ) -> Float32:
        """The image [H, W, C] in 0..1 of attribute values by name: ``decode(shape="heart", orientation=12.5)``.

        A sequence of such values, or ``z`` [B, D], gives [B, H, W, C]. Missing attributes take their default. Raises
        AttributeValueError for a value that is not accepted, ValueError for a z of another length.
        """
        if (values is not None) + (z is not None) + bool(named) > 1:
            raise ValueError("decode takes attributes by name, or one mapping or sequence of them, or z: one of these")
        if z is not None:
            return self._decode_z(np.asarray(z, np.float32))
        if values is None or isinstance(values, Mapping):
            image: Float32 = self._decode(self._latent_points([values or named]))[0]
            return image
        return self._decode(self._latent_points(values))

    def reconstruct(self, images: ArrayLike) -> Float32:
        """decode(encode(images).z): images [B, H, W, C] in 0..1."""
        return self._decode(self.encode(images).z)

    def _condition_weights(self, given: Mapping[str, Any]) -> NDArray[Any]:
        """Weights [1, sum K] of conditions by name; raises ValueError unless all of them are given, and no others."""
        conditions = self.autoencoder.codebook.conditions
        if set(given) != set(conditions):
            takes = f"all of {', '.join(conditions)}" if conditions else "no conditions"
            raise ValueError(f"the model takes {takes}; got {', '.join(given) or 'none'}")
        return self.attributes.weights(given)[None]

    def _latent_points(self, values: Sequence[Mapping[str, Any]]) -> Float32:
        """z [B, D] of attribute values; raises ValueError where there are none."""
        if not values:
            raise ValueError("decode needs at least one set of attribute values")
        return self.autoencoder.codebook.place(np.stack([self.attributes.weights(each) for each in values]))

    def _decode_z(self, z: Float32) -> Float32:
        """The images [B, H, W, C] of z [B, D], or the image [H, W, C] of z [D]; raises ValueError for other shapes."""
        length = self.autoencoder.codebook.length
        fits = z.ndim in (1, 2) and z.size > 0 and z.shape[-1] == length
        if not fits or not np.isfinite(z).all():
            raise ValueError(f"z must be finite numbers [{length}] or [B, {length}], got {list(z.shape)}")
        images = self._decode(np.atleast_2d(z))
        return images[0] if z.ndim == 1 else images

    def _decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""
        return np.concatenate([self.autoencoder.decode(chunk) for chunk in chunks(z, CHUNK)])

    def _as_uint8(self, images: ArrayLike) -> NDArray[np.uint8]:
        """Images in any of the accepted forms as [B, H, W, C] in 0..255."""
        batch = np.asarray(images)
        height, width, channels = self.image_shape
        if channels == 1 and batch.shape[-2:] == (height, width):
            batch = batch[..., None]
        if batch.ndim == 3:
            batch = batch[None]
        if batch.ndim != 4 or batch.shape[1:] != self.image_shape or not len(batch):
            raise ValueError(f"images must be [B, {height}, {width}, {channels}], got {list(np.shape(images))}")
        if batch.dtype == np.uint8:
            return _without_hidden_colour(np.asarray(batch, np.uint8))
        if not np.issubdtype(batch.dtype, np.floating) or not ((batch >= 0) & (batch <= 1)).all():
            raise ValueError("images must be uint8 in 0..255 or floats in 0..1")
        return _without_hidden_colour(to_uint8(batch))


def _without_hidden_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [B, H, W, C], with the colour 0 where they are transparent, as in training."""
    if images.shape[3] != 4:
        return images
    return images * (images[..., 3:] > 0)


class _BundleAutoencoder:
    """A bundle in onnxruntime as an autoencoder."""

    def __init__(self, path: Path, device: Device) -> None:
        from service.inference.model import Model as BundleModel

        self._model = BundleModel.load(path, device)
        self.codebook = self._model.codebook
        self.manifest = self._model.manifest
        trained_on = self.manifest.training.attributes
        self.data_attributes = self.codebook.attributes if trained_on is None else Attributes(trained_on)
        self.image_shape = self.manifest.image.shape
        self.unfamiliar = self.manifest.unfamiliar

    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        """What the encoder gives for images [B, H, W, C]; ``given`` [B, sum K] are weights of the conditions."""
        scaled = images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)  # [B, C, H, W]
        conditions = {} if given is None else dict(zip(CONDITION, (given, np.ones((len(given), 1))), strict=True))
        encoded = self._model.encode(scaled, **{name: c.astype(np.float32) for name, c in conditions.items()})
        z = encoded["z"]
        return Encoded(z, encoded["weights"], encoded.get("mean", z), encoded.get("logvar", np.zeros_like(z)))

    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""
        return self._model.decode(z).transpose(0, 2, 3, 1)


def load(path: str | Path, *, device: Device = "auto") -> Model:
    """The model of a run folder (needs torch) or of a bundle (needs onnxruntime).

    Raises ValueError if it is neither, or damaged; the message names the problem.
    """
    path = Path(path)
    if os.path.lexists(path / MANIFEST):  # also a link that leads nowhere: what is wrong with a bundle is said then
        bundled = _BundleAutoencoder(path, device)
        manifest = bundled.manifest
        trained = manifest.training
        return Model(manifest.name, trained.data, bundled.data_attributes, bundled, trained.reading)
    if not path.is_dir():
        raise ValueError(f"{path}: neither a run nor a bundle")
    # torch is imported for runs only: a bundle is loaded without it.
    from training.hardware import resolve_device
    from training.inference import TorchAutoencoder
    from training.runs import Run

    run = Run.open(path)
    parameters, autoencoder = run.parameters, TorchAutoencoder(run.load(), resolve_device(device))
    attributes = Attributes(parameters.attributes)
    return Model(path.resolve().name, parameters.data, attributes, autoencoder, parameters.reading)
