"""Response headers that tell browsers what they may do with a response, and CORS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Headers = tuple[tuple[bytes, bytes], ...]
_ALL: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_INERT = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
_SAME_ORIGIN = (b"cross-origin-resource-policy", b"same-origin")
_CROSS_ORIGIN = (b"cross-origin-resource-policy", b"cross-origin")
DEFAULT_HEADERS: Headers = (*_ALL, _INERT, _SAME_ORIGIN)
_HEADERS_BY_PATH: dict[str, Headers] = {
    "/decode": (*_ALL, _INERT, _CROSS_ORIGIN),  # pages of other sites may show it with <img src>
    "/docs": (*_ALL, _PAGE, _SAME_ORIGIN),
}


def headers_for(path: str) -> Headers:
    """The headers of every response to a request for ``path``."""
    return _HEADERS_BY_PATH.get(path, DEFAULT_HEADERS)


def serialize(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as HTTP/1.1 sends them."""
    return b"".join(b"%s: %s\r\n" % each for each in headers)


# What scripts of other origins may send and read where CORS is open to them. Cookies never, as there are none.
CORS: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", "POST"),
    "allow_headers": (
        "Authorization",
        "Content-Encoding",
        "If-None-Match",
        "Inference-Header-Content-Length",
        "X-API-Key",
        "X-Request-ID",
        "X-Request-Timeout-Ms",
    ),
    "expose_headers": (
        "ETag",
        "Inference-Header-Content-Length",
        "Retry-After",
        "Server-Timing",
        "WWW-Authenticate",
        "X-Execution-Provider",
        "X-Frame-Rate",
        "X-Mixing",
        "X-Model-Digest",
        "X-Request-ID",
        "X-Sheet-Columns",
    ),
}
