"""Content negotiation: which of the offered media types an Accept header prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from functools import lru_cache

from fastapi import Request

from service.problems import Problem
from service.web.scope import joined_header

QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def negotiate(request: Request, offered: tuple[str, ...]) -> str:
    """The media type to answer a request with: the offered one of the highest q value, the first one where equal.

    Raises Problem 406, which lists what is offered, if none is acceptable.
    """
    accept = joined_header(request.scope, b"accept") or "*/*"
    media = preferred(accept, offered)
    if media is None:
        raise Problem(406, f"there is {', '.join(offered)}", offered=list(offered))
    return media


@lru_cache(256)
def preferred(accept: str, offered: tuple[str, ...]) -> str | None:
    """The offered media type that an Accept header prefers; None if it accepts none."""
    ranges = _ranges(accept)
    quality = {media: _quality(media, ranges) for media in offered}
    best = max(offered, key=lambda media: quality[media])
    return best if quality[best] > 0 else None


def _ranges(accept: str) -> list[tuple[str, float]]:
    """The media ranges of an Accept header, each with its q value."""
    ranges = []
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        ranges.append((media, _q(parameters)))
    return ranges


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            return float(parameter[2:]) if QVALUE.fullmatch(parameter[2:]) else 0.0
    return 1.0


def _quality(media: str, ranges: list[tuple[str, float]]) -> float:
    """The q value of the most specific range that covers ``media``; 0 if none does."""
    for pattern in (media, media.split("/")[0] + "/*", "*/*"):
        matching = [q for named, q in ranges if named == pattern]
        if matching:
            return max(matching)
    return 0.0
