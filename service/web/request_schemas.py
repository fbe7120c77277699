"""Request bodies and query parameters, as /docs shows them.

What attributes accept is theirs to check (``Attribute.canonical``), so values are free here.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from attributes import Easing
from service.problems import MAX_LISTED_ERRORS

EXAMPLE: dict[str, Any] = {"shape": "heart", "scale": 5, "orientation": 12.5, "pos_x": 16, "pos_y": 16}
_VALUE: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "description": "position on the attribute's axis"},
        {"type": "string", "description": "label of a nominal attribute"},
        {"type": "array", "items": {"type": "number"}, "description": "weights, one per class"},
        {"type": "object", "description": "as /encode gives it, read by its value"},
    ]
}
_VALUES: dict[str, Any] = {"type": "object", "additionalProperties": _VALUE}
_NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "number"}}
_STEPS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}
_BASE64: dict[str, Any] = {"type": "string", "format": "byte", "description": "or a data URI of base64"}
_IMAGE: dict[str, Any] = {"type": "object", "properties": {"image": _BASE64}, "required": ["image"]}
_IMAGES: dict[str, Any] = {
    "type": "object",
    "properties": {"images": {"type": "array", "items": _BASE64, "minItems": 1}},
    "required": ["images"],
}

OneOrMoreValues = Annotated[
    dict[str, Any] | list[Any], WithJsonSchema({"anyOf": [_VALUES, {"type": "array", "items": _VALUES}]})
]
OneOrMorePoints = Annotated[list[Any], WithJsonSchema({"anyOf": [_NUMBERS, {"type": "array", "items": _NUMBERS}]})]
KeyFrameBody = Annotated[dict[str, Any], WithJsonSchema({"anyOf": [_VALUES, _IMAGE]})]


def _whole(value: Any) -> Any:
    """8.0 as 8: JSON Schema takes both for an integer, and some languages write the one as the other."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_whole)]


def _stop_after_errors(kind: type) -> BeforeValidator:
    """Has a list with many items of another type than ``kind`` end where enough errors are found to be listed.

    Pydantic makes an error of each: 500 bytes for two of the request.
    """

    def cut(items: Any) -> Any:
        if isinstance(items, list):
            wrong = (index for index, item in enumerate(items) if not isinstance(item, kind))
            for last in islice(wrong, MAX_LISTED_ERRORS - 1, None):
                return items[: last + 1]
        return items

    return BeforeValidator(cut)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _stop_after_errors(cls, content: Any) -> Any:
        """Leave out unknown members beyond those that are listed as errors."""
        if not isinstance(content, dict) or len(content) <= MAX_LISTED_ERRORS:
            return content
        known = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = [*islice((name for name in content if name not in known), MAX_LISTED_ERRORS)]
        return {name: content[name] for name in (*(known & content.keys()), *unknown)}


Texts = Annotated[list[str], _stop_after_errors(str)]


class DecodeBody(_Body):
    """Attribute values, or latent points: one or several."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"attributes": EXAMPLE}]})

    attributes: OneOrMoreValues = Field(
        default_factory=dict, description="values; missing attributes take their default"
    )
    z: OneOrMorePoints = Field(default_factory=list, description="latent points, as /encode gives them")

    @model_validator(mode="after")
    def _one_of_both(self) -> DecodeBody:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs attributes or z, and not both")
        return self


class EncodeBody(_Body):
    """Images as JSON."""

    images: Texts = Field(min_length=1, description="image files or npy files in base64, or data URIs of it")


class EditBody(_Body):
    """An image and what to change of it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image": "<base64>", "set": {"shape": "heart"}, "add": {"pos_x": 3}}]}
    )

    image: str = Field(description="an image or npy file in base64, or a data URI of it")
    to: Annotated[dict[str, Any], WithJsonSchema(_VALUES)] = Field(
        default_factory=dict, alias="set", description="values, as /decode takes them"
    )
    by: Annotated[dict[str, Any], WithJsonSchema(_STEPS)] = Field(
        default_factory=dict,
        alias="add",
        description="how far to move positions or values, from where the image has them; nominal attributes have none",
    )


class ImageBody(_Body):
    """One image."""

    image: str


class ImagesBody(_Body):
    """One image, or several of one class."""

    image: str = ""
    images: Texts = Field(default_factory=list, min_length=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> ImagesBody:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs image or images, and not both")
        return self


class RecombineBody(_Body):
    """What to take the class of, and what the style."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"class": {"images": ["<base64>"]}, "style": {"image": "<base64>"}}]}
    )

    classes: Annotated[ImagesBody, WithJsonSchema({"anyOf": [_IMAGE, _IMAGES]})] = Field(
        alias="class", description="the class of this image, or of these together"
    )
    style: Annotated[ImageBody, WithJsonSchema(_IMAGE)] = Field(description="all but the class of this image")


class InterpolateBody(_Body):
    """Two key frames as ``from`` and ``to``, or two and more as ``keyframes``: attribute values or an image each."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"from": {"shape": "square", "scale": 0}, "to": {"shape": "heart", "scale": 5}, "steps": 16},
                {"keyframes": [{"orientation": 0}, {"orientation": 13}, {"orientation": 26}], "steps": 9, "loop": True},
            ]
        }
    )

    start: KeyFrameBody = Field(default_factory=dict, alias="from")
    end: KeyFrameBody = Field(default_factory=dict, alias="to")
    keyframes: Annotated[list[KeyFrameBody], _stop_after_errors(dict)] = Field(default_factory=list, min_length=2)
    steps: WholeNumber = Field(
        16, ge=2, description="frames per segment with both its ends; shared key frames come once"
    )
    loop: bool = Field(False, description="add the segment back to the first key frame; animations then repeat")
    easing: Easing = Field("linear", description="quadratic; ease-in-out is smoothstep")
    fps: float = Field(
        12, ge=0.1, le=100, allow_inf_nan=False, description="frames per second of an animation; of a GIF 50 at most"
    )

    @model_validator(mode="after")
    def _one_form(self) -> InterpolateBody:
        given = self.model_fields_set & {"start", "end", "keyframes"}
        if given not in ({"start", "end"}, {"keyframes"}):
            raise ValueError("needs from and to, or keyframes, and not both")
        return self


class _Query(BaseModel):
    """A parameter that is not known is refused, so that no typo passes in silence."""

    model_config = ConfigDict(extra="forbid")


class NoQuery(_Query):
    """No parameters."""


class ModelQuery(_Query):
    """Which model answers."""

    model: str | None = Field(None, description="name of a model; the default one otherwise")


class EncodeQuery(ModelQuery):
    """What /encode tells."""

    detail: Literal["weights", "posterior"] | None = Field(
        None, description="weights adds class probabilities, posterior mean and logvar (null where there are none)"
    )
    given: str | None = Field(
        None,
        description="what the encoder is told: NAME:VALUE, several with commas between them; a value is a label, a "
        "number, or weights with commas between them; the model infers conditions that are not given",
        examples=["digit:3", "digit:3,shape:heart"],
    )
    group: bool = Field(
        False,
        description="the images are one group: one item comes back, of the group's attribute and of what they share in "
        "z; whatever else z holds is at its default",
    )


class SheetQuery(ModelQuery):
    """How a sheet is laid out."""

    columns: int | None = Field(None, ge=1, description="columns of a sheet; ceil(sqrt N) otherwise, and at most N")


class AttributesQuery(SheetQuery):
    """Attribute values as query parameters, each by its own name."""

    model_config = ConfigDict(extra="allow")
