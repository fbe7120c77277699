"""Bodies of multipart/form-data (RFC 7578), read whole: in time and memory by their size, whatever is in them."""

from __future__ import annotations

import re
from typing import NamedTuple

from service.problems import Problem

MULTIPART = "multipart/form-data"
# RFC 2046, section 5.1.1.
MAX_BOUNDARY_BYTES = 70
# Of one part: name, file name and media type.
MAX_HEAD_BYTES = 2**13
# About how long a byte takes to be read.
MICROSECONDS_PER_BYTE = 0.01
# Bytes that a boundary is looked for in at once: no other thread runs meanwhile.
WINDOW_BYTES = 2**20
CRLF = b"\r\n"
# One parameter of a header, quoted or not.
PARAMETER = re.compile(rb';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;"]*+))')


class Part(NamedTuple):
    """A file, or a field of a form."""

    name: str
    is_file: bool
    media: str
    """Its media type in small letters, without parameters; empty if it names none."""
    content: bytes


def boundary_of(content_type: bytes) -> bytes:
    """The boundary that a Content-Type names; raises Problem 400.

    No other parameter is looked at. Above all no charset: names and file names are not needed, so nothing is decoded.
    """
    named = [(name.lower(), quoted or plain) for name, quoted, plain in PARAMETER.findall(content_type)]
    boundaries = [value for name, value in named if name == b"boundary"]
    if len(boundaries) != 1 or not 0 < len(boundaries[0]) <= MAX_BOUNDARY_BYTES:
        accepted = f"one boundary of 1 to {MAX_BOUNDARY_BYTES} characters"
        raise Problem(400, f"the body: Content-Type of multipart accepts {accepted}", accepted=accepted)
    return bytes(boundaries[0])


def parse(body: bytes, boundary: bytes, most: int) -> list[Part]:
    """The first parts of a body, at most so many; none of an empty one. Raises Problem 400."""
    parts: list[Part] = []
    if not body:
        return parts
    separator = CRLF + b"--" + boundary
    # The first boundary may be the body's beginning, or stand behind a preamble.
    position = len(separator) - len(CRLF) if body.startswith(separator[len(CRLF) :]) else _after(body, separator, 0)
    while not body.startswith(b"--", position) and len(parts) < most:
        head_end = body.find(CRLF + CRLF, position, position + MAX_HEAD_BYTES)
        if head_end < 0:
            raise _malformed(f"a part whose head does not end within {MAX_HEAD_BYTES} bytes")
        end = _after(body, separator, head_end + len(CRLF + CRLF))
        content = body[head_end + len(CRLF + CRLF) : end - len(separator)]
        parts.append(_part(body[position:head_end], content))
        position = end
    return parts


def _after(body: bytes, separator: bytes, start: int) -> int:
    """Where the next separator ends."""
    for begin in range(start, len(body), WINDOW_BYTES):
        found = body.find(separator, begin, begin + WINDOW_BYTES + len(separator) - 1)
        if found >= 0:
            return found + len(separator)
    raise _malformed("no boundary where one must follow")


def _part(head: bytes, content: bytes) -> Part:
    """A part by the lines of its head. The first is the rest of the boundary's own line."""
    padding, *lines = head.split(CRLF)
    if padding.strip(b" \t"):
        raise _malformed("a line that begins with the boundary and goes on otherwise")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    disposition = fields.get(b"content-disposition", b"")
    parameters = {name: quoted or plain for name, quoted, plain in PARAMETER.findall(disposition)}
    if not disposition.lower().startswith(b"form-data") or b"name" not in parameters:
        raise _malformed('a part without Content-Disposition: form-data; name="..."')
    return Part(
        parameters[b"name"].decode("utf-8", "replace"),
        # RFC 5987 writes letters beyond ASCII in filename*, beside filename or without it.
        b"filename" in parameters or b"filename*" in parameters,
        fields.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1"),
        content,
    )


def _malformed(what: str) -> Problem:
    return Problem(400, f"malformed multipart: {what}")
