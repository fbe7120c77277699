"""Compressed request bodies (RFC 9110, section 8.4), decompressed within the limit of all bodies."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

from isal.igzip import IGzipFile
from starlette.types import Scope

from service.problems import Problem
from service.web.scope import joined_header

IDENTITY = "identity"
ALIASES = {"x-gzip": "gzip"}
# RFC 9659: what a window of zstd may have in HTTP is 8 MB. Its decoder would take 128 MB for a few bytes otherwise.
ZSTD_WINDOW_LOG = 23


def content_coding(scope: Scope) -> str:
    """The coding of a request's body; raises Problem 415 for one that is not known, and for several on each other."""
    named = joined_header(scope, b"content-encoding").strip().lower()
    coding = ALIASES.get(named, named)
    if coding != IDENTITY and coding not in CODINGS:
        # RFC 9110, section 15.5.16, wants the header.
        raise Problem(
            415,
            f"the body: Content-Encoding {named[:80]!r}; accepts {', '.join(CODINGS)}",
            headers={"Accept-Encoding": ", ".join(CODINGS)},
            accepted=[*CODINGS],
        )
    return coding


def decompress(body: bytes, coding: str, limit: int) -> bytes:
    """The content of a body; raises Problem 400 where it is damaged, 413 past ``limit`` bytes.

    An empty body stays empty, as some clients name a coding in requests without one.
    """
    if coding == IDENTITY or not body:
        return body
    try:
        content = CODINGS[coding](body, limit + 1)
    except Exception as error:  # each library raises errors of its own, and several kinds of them
        raise Problem(400, f"the body: Content-Encoding is {coding}, but it can't be read so: {error}") from None
    if len(content) > limit:
        raise Problem(413, f"a body may have {limit} bytes, decompressed", limit=limit)
    return content


# Each gives the content of a body, or its first bytes: ``most`` of them, or a little more. Memory is bounded by that.


def _gzip(body: bytes, most: int) -> bytes:
    """A file of one or more members (RFC 1952, section 2.2). isal reads headers in C, however many there are."""
    with IGzipFile(fileobj=BytesIO(body)) as file:  # type: ignore[no-untyped-call]
        return file.read(most)


def _deflate(body: bytes, most: int) -> bytes:
    """What HTTP calls deflate is the zlib format, but some clients send deflate itself, without header and checksum."""
    has_header = body[0] % 16 == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0  # RFC 1950, section 2.2
    return _one_stream(zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS), body, most)


def _one_stream(stream: Any, body: bytes, most: int) -> bytes:
    content: bytes = stream.decompress(body, most)
    if len(content) < most and not stream.eof:
        raise EOFError("ends before its end")
    if stream.unused_data:
        raise ValueError("goes on after its end")
    return content


def _brotli(brotli: Any) -> Callable[[bytes, int], bytes]:
    def decompress(body: bytes, most: int) -> bytes:
        stream = brotli.Decompressor()
        content: bytes = stream.process(body, output_buffer_limit=most)
        if len(content) < most and not stream.is_finished():
            raise EOFError("ends before its end")
        return content

    return decompress


def _zstd(zstd: Any) -> Callable[[bytes, int], bytes]:
    options = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    return lambda body, most: _one_stream(zstd.ZstdDecompressor(options=options), body, most)


def _codings() -> dict[str, Callable[[bytes, int], bytes]]:
    codings: dict[str, Callable[[bytes, int], bytes]] = {"gzip": _gzip, "deflate": _deflate}
    brotli, zstd = _installed("brotli"), _installed("compression.zstd")  # the second is part of Python since 3.14
    # Before version 1.2 nothing bounds what brotli makes of a small body.
    if hasattr(getattr(brotli, "Decompressor", None), "can_accept_more_data"):
        codings["br"] = _brotli(brotli)
    if zstd:
        codings["zstd"] = _zstd(zstd)
    return codings


def _installed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


CODINGS = _codings()
