"""What answers tell browsers to do with them."""

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
_OURS, _ANYBODYS = ((b"cross-origin-resource-policy", whose) for whose in (b"same-origin", b"cross-origin"))
HEADERS: Headers = (*_ALL, _INERT, _OURS)
HEADERS_BY_PATH: dict[str, Headers] = {
    "/decode": (*_ALL, _INERT, _ANYBODYS),  # for <img src> of other sites
    "/docs": (*_ALL, _PAGE, _OURS),
}
"""Where they are others."""


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are sent."""
    return b"".join(b"%s: %s\r\n" % each for each in headers)


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
        "X-Mixing",
        "X-Model-Digest",
        "X-Request-ID",
        "X-Sheet-Columns",
    ),
}
"""What scripts of other origins may send and read where CORS is open to them; never cookies, as there are none."""
