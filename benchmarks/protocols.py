"""How servers are talked to: by this project's own contract, or by another that carries the same."""

from __future__ import annotations

import base64
import json
from typing import Literal, NamedTuple

Half = Literal["decode", "encode"]
HALVES: tuple[Half, ...] = ("decode", "encode")
JSON = "application/json"
TYPES: dict[Half, str] = {"decode": JSON, "encode": "image/png"}


class Message(NamedTuple):
    """A POST request's path and content."""

    path: str
    content_type: str
    body: bytes

    @property
    def http(self) -> bytes:
        """The request as it is sent."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {self.content_type}\r\n"
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


class Protocol:
    """JSON in and PNG out of /decode, PNG in and JSON out of /encode."""

    def wrap(self, half: Half, body: bytes) -> Message:
        """The request that asks for it."""
        return Message(f"/{half}", TYPES[half], body)

    def unwrap(self, half: Half, content: bytes) -> bytes:
        """PNG or JSON, from what was answered."""
        return content


class Predictions(Protocol):
    """TorchServe's: the same under other paths."""

    def wrap(self, half: Half, body: bytes) -> Message:
        return super().wrap(half, body)._replace(path=f"/predictions/{half}")


class OpenInference(Protocol):
    """The Open Inference Protocol v2 in JSON: attribute values as text, PNG as base64."""

    def wrap(self, half: Half, body: bytes) -> Message:
        text = body.decode() if half == "decode" else base64.b64encode(body).decode()
        given = {"inputs": [{"name": "input", "shape": [1, 1], "datatype": "BYTES", "data": [text]}]}
        return Message(f"/v2/models/{half}/infer", JSON, json.dumps(given).encode())

    def unwrap(self, half: Half, content: bytes) -> bytes:
        (said,) = json.loads(content)["outputs"][0]["data"]
        return said.encode() if half == "encode" else base64.b64decode(said)
