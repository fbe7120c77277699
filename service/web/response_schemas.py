"""Response bodies, as /docs shows them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from attributes import Kind, Value


class AttributeReading(BaseModel):
    """What an image says about one attribute; /decode accepts it as a value."""

    value: float | str
    index: int | None = Field(None, description="the most probable class")
    label: str | None = None
    unit_value: float | None = Field(None, description="the value in the attribute's unit")
    confidence: float | None = Field(None, description="probability of the most probable class")
    sd: float | None = Field(None, description="standard deviation of a continuous attribute, in its unit")
    z: list[float] = Field(description="the latent dimensions that belong to the attribute")
    weights: list[float] | None = None


class EncodedImage(BaseModel):
    """One image read."""

    attributes: dict[str, AttributeReading]
    z: list[float]
    converted: list[str] = Field(description="what was done to make the image one of the model's")
    unfamiliar: bool | None = Field(
        description="whether it is unlike the images that the model was trained on; null where the model can't tell"
    )
    mean: list[float] | None = None
    logvar: list[float] | None = None


class EncodeAnswer(BaseModel):
    """The images read, in the order they came."""

    model: str
    digest: str
    items: list[EncodedImage]


class DecodedImage(BaseModel):
    """One image with the values it was made of; null if it was made of z."""

    image: str = Field(description="base64 of a PNG")
    attributes: dict[str, Value] | None


class DecodeAnswer(BaseModel):
    """Images as JSON."""

    model: str
    digest: str
    items: list[DecodedImage]


class InterpolateAnswer(BaseModel):
    """Frames as JSON."""

    model: str
    digest: str
    frames: list[DecodedImage]


class AttributeInfo(BaseModel):
    """One attribute of a model."""

    name: str
    kind: Kind
    size: int
    labels: list[str]
    period: int | None
    unit: str
    range: tuple[float, float]
    limits: tuple[float, float] | None = Field(
        description="what a continuous attribute accepts, wider than its range for free latents; null for others"
    )
    default: float | str
    mixing: Literal["linear", "nearest"]
    accepts: str


class ImageInfo(BaseModel):
    """Size of a model's images."""

    height: int
    width: int
    channels: int


class ModelInfo(BaseModel):
    """One model that is served."""

    name: str
    digest: str
    system: str
    provider: str = Field(description="the execution provider really in use")
    image: ImageInfo
    latent_length: int
    conditions: list[str] = Field(description="attributes that the encoder can be told with ?given=")
    group: str | None = Field(description="the attribute that a group of images shares, read with ?group=true")
    attributes: list[AttributeInfo]
    scores: dict[str, Any]


class ModelList(BaseModel):
    """All models that are served."""

    default: str
    models: list[ModelInfo]


class Health(BaseModel):
    """The service is well."""

    status: Literal["live", "ready"]
