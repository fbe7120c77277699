"""Requests on the wire: this project's own HTTP API, and protocols of other servers that carry the same content."""

from __future__ import annotations

import base64
import json
from typing import Literal, NamedTuple

Form = Literal["decode", "encode", "decode-query", "decode-items", "edit"]
# What every server answers, peers included.
COMMON_FORMS: tuple[Form, ...] = ("decode", "encode")
# What only this project's service answers.
OWN_FORMS: tuple[Form, ...] = ("decode-query", "decode-items", "edit")
JSON, PNG, NPY = "application/json", "image/png", "application/x-npy"


class Message(NamedTuple):
    """An HTTP request: method, path and content."""

    path: str
    content_type: str
    body: bytes
    method: str = "POST"
    accept: str = "*/*"

    @property
    def headers(self) -> dict[str, str]:
        """Its headers. wrk and http.client add no others that matter."""
        content = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))} if self.body else {}
        return {"Host": "127.0.0.1", "Accept": self.accept, **content}

    @property
    def http(self) -> bytes:
        """The whole request in HTTP/1.1."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + self.body


class Protocol:
    """This project's own API: JSON to PNG by /decode, PNG to JSON by /encode, and its further forms."""

    def wrap(self, form: Form, body: bytes) -> Message:
        """The request for a body of ``requests.bodies``. A body of ``decode-query`` is the query string."""
        match form:
            case "encode":
                return Message("/encode", PNG, body)
            case "decode-query":
                return Message(f"/decode?{body.decode()}", "", b"", method="GET")
            case "decode-items":
                return Message("/decode", JSON, body, accept=NPY)
            case _:
                return Message(f"/{form}", JSON, body)

    def unwrap(self, form: Form, content: bytes) -> bytes:
        """The PNG, npy file or JSON in a response's content."""
        return content


class Predictions(Protocol):
    """TorchServe: the same content under other paths."""

    def wrap(self, form: Form, body: bytes) -> Message:
        return super().wrap(form, body)._replace(path=f"/predictions/{form}")


class OpenInference(Protocol):
    """The Open Inference Protocol v2 in JSON: attribute values as text, PNG as base64."""

    def wrap(self, form: Form, body: bytes) -> Message:
        text = body.decode() if form == "decode" else base64.b64encode(body).decode()
        tensor = {"name": "input", "shape": [1, 1], "datatype": "BYTES", "data": [text]}
        return Message(f"/v2/models/{form}/infer", JSON, json.dumps({"inputs": [tensor]}).encode())

    def unwrap(self, form: Form, content: bytes) -> bytes:
        (text,) = json.loads(content)["outputs"][0]["data"]
        return text.encode() if form == "encode" else base64.b64decode(text)
