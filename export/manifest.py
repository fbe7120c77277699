"""The manifest: the content of a bundle's ``manifest.json`` as types, and the rules that it keeps. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_serializer,
    model_validator,
)

from attributes import MAX_SIDE, MIN_SIDE, Attribute, Attributes, Group, Part

FORMAT: Literal[1] = 1
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
# More than any system has, and few enough to be looked through in no time.
MAX_ATTRIBUTES, MAX_TENSORS = 256, 16

# What an encoder with conditions takes besides the image: weights [B, sum K], and whether they are known [B, 1].
CONDITION = ("condition", "condition_known")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AsWritten(BaseModel):
    """A JSON object whose known fields are typed, and which is written back exactly as it was read.

    Unknown keys, the order of keys and absent fields are kept. So the service passes on what the bundle's author wrote,
    and a bundle that is sealed again stays the same.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    _written: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, Mapping):
            return handler(value)
        try:
            model = handler(value)
        except ValidationError as error:
            # Format 1 allows any JSON object here, so a field of another type counts as absent.
            wrong = {each["loc"][0] for each in error.errors() if each["loc"]}
            model = handler({name: field for name, field in value.items() if name not in wrong})
        model._written = dict(value)
        return model

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return self._written


class ImageSpec(_Strict):
    """Size of the model's images; pixel values lie in 0..1."""

    height: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    width: int = Field(ge=MIN_SIDE, le=MAX_SIDE)
    channels: Literal[1, 3, 4]

    @property
    def shape(self) -> tuple[int, int, int]:
        """[H, W, C]."""
        return self.height, self.width, self.channels


class TensorSpec(_Strict):
    """An input or output of an ONNX graph; -1 stands for the batch."""

    name: str
    shape: tuple[int, ...] = Field(min_length=1, max_length=8)


class GraphSpec(_Strict):
    """Inputs and outputs of the encoder or of the decoder."""

    inputs: tuple[TensorSpec, ...] = Field(max_length=MAX_TENSORS)
    outputs: tuple[TensorSpec, ...] = Field(max_length=MAX_TENSORS)


class FileSpec(_Strict):
    """Checksum and size in bytes of a file of the bundle."""

    sha256: str
    size: int = Field(ge=0)


class Provenance(_AsWritten):
    """How a model was trained. A field that an older bundle lacks has its default."""

    data: str = ""
    """The data set as the command names it: ``dsprites``, ``mnist``, or where people's own images lay."""
    reading: dict[str, JsonValue] = {}
    """How these were read, where their layout alone doesn't tell."""
    labels: str = ""
    """Which rows are labelled; empty for all."""
    settings: dict[str, JsonValue] = {}
    """The preset's settings."""
    seed: int = 0
    device: str = ""
    hardware: str = ""
    precision: str = ""
    threads: int = 0
    version: str = ""
    """The version of the code."""
    command: str = ""
    attributes: tuple[Attribute, ...] | None = None
    """The data's attributes; None if they are the model's."""
    init: Provenance | str | None = None
    """The run whose weights training began with; the path of its folder if the folder was gone at the export."""
    images: int = 0
    """How many images the training saw, repetitions included."""
    seconds: float = 0.0

    @property
    def stages(self) -> list[Provenance]:
        """The runs that led to the model, from the first one to this one."""
        return [*(self.init.stages if isinstance(self.init, Provenance) else []), self]


class ScoreSpec(_AsWritten):
    """A metric's mean over rows with its 95 % interval; None where a value is not known."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0


class Scores(_AsWritten):
    """The model's scores by set of rows (``held out``) and by metric (``accuracy.shape``)."""

    scores: dict[str, dict[str, ScoreSpec]] = {}
    ceilings: dict[str, float] = {}
    """The highest accuracy that the images allow, by attribute."""
    interval: str = ""
    """Which intervals these are."""


class Manifest(_Strict):
    """All that a service must know of a model before it opens another file of the bundle."""

    format: Literal[1] = FORMAT
    name: str = Field(pattern=NAME)
    system: str
    image: ImageSpec
    attributes: tuple[Attribute, ...] = Field(max_length=MAX_ATTRIBUTES)
    latents: tuple[Part, ...] = Field(max_length=MAX_ATTRIBUTES)
    conditions: tuple[str, ...] = Field(default=(), max_length=MAX_ATTRIBUTES)
    """Discrete attributes that the encoder takes as inputs: ``condition`` and ``condition_known``."""
    group: Group | None = None
    encoder: GraphSpec
    decoder: GraphSpec
    opset: int
    tolerances: dict[Literal["fp32", "tf32", "fp16"], float]
    """The largest difference from the golden outputs that is accepted, by precision."""
    unfamiliar: float | None = Field(default=None, gt=0)
    """An image with a larger reconstruction error is unlike the images that the model was trained on.

    So is a blank one, whatever its error: see ``attributes.is_unfamiliar``.
    """
    training: Provenance
    scores: Scores
    files: dict[str, FileSpec] = {}
    digest: str = ""

    @model_validator(mode="after")
    def _check_latents(self) -> Manifest:
        """Every dimension of z belongs to one attribute: parts name attributes and follow each other without gaps."""
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
    def _check_encoder_inputs(self) -> Manifest:
        """The encoder takes the image, and conditions if the manifest names some."""
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
    def _check_tensors(self) -> Manifest:
        """The encoder gives z and weights, the decoder makes the image of z."""
        height, width, channels = self.image.shape
        z, weights, image = (
            (-1, self.latent_length),
            (-1, Attributes(self.attributes).total),
            (-1, channels, height, width),
        )
        for given, expected in (
            (self.encoder.outputs, {"z": z, "weights": weights}),
            (self.decoder.inputs, {"z": z}),
            (self.decoder.outputs, {"image": image}),
        ):
            shapes = {tensor.name: tensor.shape for tensor in given}
            if not expected.items() <= shapes.items():
                raise ValueError(f"encoder, decoder: have {shapes} where these are needed: {expected}")
        return self

    @model_validator(mode="after")
    def _check_codes(self) -> Manifest:
        """Each code is an index into the posterior; a group has one for each dimension of its part."""
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
        """L, the length of the posterior's mean and logvar; 0 if the encoder does not give them."""
        lengths = {tensor.name: tensor.shape[1] for tensor in self.encoder.outputs if len(tensor.shape) == 2}
        return min(lengths.get("mean", 0), lengths.get("logvar", 0))


def digest_of(manifest: dict[str, Any]) -> str:
    """sha256 of a manifest's JSON without its ``digest``: keys sorted, no spaces.

    It takes the JSON as it is written, not the fields that this version knows. So a bundle stays valid when a later
    version adds fields.
    """
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
