"""The protocol's JSON objects, one struct each. Fields and parameters that are not known are ignored, as it says.

Sources: github.com/kserve/open-inference-protocol (inference_rest.md), and the extensions ``binary_tensor_data``,
``model_configuration``, ``statistics`` and ``model_repository`` of github.com/triton-inference-server/server
(docs/protocol).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import Response
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from service.problems import Problem
from service.web.request_bodies import JSON
from service.web.strict_json import refuse_repeated_keys

# What tensors are written with, and bytes of a document that are none of these: names, keys, an id.
TENSOR = b"[]-+.0123456789eE, \t\r\n"
MAX_TEXT = 2**16
# Dimensions and sizes in a document.
MAX_WHOLE_NUMBERS = 1000

Datatype = Literal["FP32", "UINT8"]
Numbers = Annotated[
    Raw,
    Meta(
        extra_json_schema={
            "type": "array",
            "items": {"anyOf": [{"type": "number"}, {"type": "array", "items": {}}]},
            "description": "numbers in row-major order, flat or nested as shape",
        }
    ),
]


class WholeNumber(int):
    """An integer from 0 on, which JSON may write with a fraction of nothing: 8.0 is 8, as in JSON Schema."""


Whole = Annotated[WholeNumber, Meta(extra_json_schema={"type": "integer", "minimum": 0})]


class TensorParameters(Struct, frozen=True, omit_defaults=True):
    """How a tensor is sent."""

    binary_data_size: Annotated[Whole, Meta(description="bytes of this tensor behind the JSON")] | None = None
    shared_memory_region: Annotated[str, Meta(description="not offered")] | None = None


class Tensor(Struct, frozen=True, omit_defaults=True):
    """An input or an output, whose values stand in ``data`` or, little-endian, behind the JSON."""

    name: str
    datatype: str
    shape: list[Whole]
    parameters: TensorParameters | None = None
    data: Numbers | UnsetType = UNSET


class OutputParameters(Struct, frozen=True):
    """How an output is to be sent."""

    binary_data: Annotated[bool, Meta(description="behind the JSON; what the request says otherwise")] | None = None
    classification: Annotated[Whole, Meta(description="not offered")] | None = None
    shared_memory_region: Annotated[str, Meta(description="not offered")] | None = None


class RequestedOutput(Struct, frozen=True):
    """An output that the client wants."""

    name: str
    parameters: OutputParameters | None = None


class RequestParameters(Struct, frozen=True):
    """What holds for the whole request."""

    binary_data_output: Annotated[bool, Meta(description="send outputs behind the JSON")] = False


class InferenceRequest(Struct, frozen=True):
    """Inputs, and which outputs are wanted: all of them if none is named."""

    inputs: list[Tensor]
    id: Annotated[str, Meta(description="comes back in the answer")] | None = None
    outputs: list[RequestedOutput] | None = None
    parameters: RequestParameters | None = None


class InferenceResponse(Struct, frozen=True, omit_defaults=True):
    """Outputs, in the order in which they were asked for."""

    model_name: str
    model_version: str
    outputs: list[Tensor]
    id: str | None = None


class ServerMetadata(Struct, frozen=True):
    """What this server is, and which extensions of the protocol it has."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(Struct, frozen=True):
    """The process answers."""

    live: bool


class ServerReady(Struct, frozen=True):
    """Every model that is served is ready."""

    ready: bool


class TensorMetadata(Struct, frozen=True):
    """Name, datatype and shape of an input or output; -1 is the number of items."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(Struct, frozen=True):
    """Inputs and outputs of a model."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(Struct, frozen=True):
    """A model can be asked."""

    name: str
    ready: bool


class IndexRequest(Struct, frozen=True):
    """Which models the index lists."""

    ready: Annotated[bool, Meta(description="only those that are ready")] = False


class IndexEntry(Struct, frozen=True, omit_defaults=True):
    """A model of the repository."""

    name: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    version: str = ""
    reason: str = ""


class RepositoryParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """A model is always loaded from its own folder, and as a whole: there is nothing to override."""

    unload_dependents: bool = False


class RepositoryRequest(Struct, frozen=True):
    """A request to load or unload a model."""

    parameters: RepositoryParameters | None = None


S = TypeVar("S", bound=Struct)


def decode(document: bytes | memoryview, kind: type[S]) -> S:
    """A struct from strict JSON; raises Problem 400 for text that is no JSON, 422 for JSON that does not fit.

    Problem 413 is for JSON of which much would be made that is no tensor: 16 MB may be half a million objects.
    """
    if (found := len(bytes(document).translate(None, TENSOR))) > MAX_TEXT:
        raise Problem(413, f"the JSON has {found} characters that are no numbers; accepts {MAX_TEXT}", limit=MAX_TEXT)
    try:
        decoded = msgspec.json.decode(document, type=kind, dec_hook=_WholeNumbers().convert)
    except msgspec.ValidationError as error:
        raise Problem(422, readable(error)) from None
    except RecursionError:
        raise Problem(400, "the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"malformed JSON: {error}") from None
    refuse_repeated_keys(bytes(document))
    return decoded


class _WholeNumbers:
    """Makes the whole numbers of one document: few, as all but those of shapes and sizes are data."""

    def __init__(self) -> None:
        self._made = 0

    def convert(self, kind: type, value: object) -> WholeNumber:
        """What msgspec calls for each field of type ``WholeNumber``, the only type that it doesn't know."""
        self._made += 1
        if self._made > MAX_WHOLE_NUMBERS:
            raise Problem(413, f"more than {MAX_WHOLE_NUMBERS} dimensions and sizes", limit=MAX_WHOLE_NUMBERS)
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is not int:  # in msgspec's own words
            raise ValueError(f"Expected `int`, got `{type(value).__name__}`")
        if number < 0:
            raise ValueError("Expected `int` >= 0")
        return WholeNumber(number)


def struct_response(content: Struct | Sequence[Struct]) -> Response:
    """A struct as JSON."""
    return Response(msgspec.json.encode(content), media_type=JSON)


def readable(error: msgspec.DecodeError, where: str = "") -> str:
    """msgspec's message with the field first: ``id: Expected `int`, got `str` ``."""
    message, _, place = str(error).partition(" - at ")
    path = where + place.strip("`").removeprefix("$")
    return f"{path.lstrip('.') or 'the body'}: {message}"
