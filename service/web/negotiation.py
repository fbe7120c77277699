"""Content negotiation: which of the offered media types an Accept header prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from fastapi import Request

from service.problems import Problem
from service.web.scope import joined_header

# Characters of an Accept header: browsers send 150. Each of thousands of ranges takes time.
MAX_ACCEPT = 2000
# Parts of a header between commas, and of one range between semicolons. Either may stand in a quoted string.
QUOTED = r'"(?:[^"\\]|\\.)*+"?+'
BETWEEN_COMMAS = re.compile(rf'(?:[^,"]|{QUOTED})++')
BETWEEN_SEMICOLONS = re.compile(rf'(?:[^;"]|{QUOTED})++')


def negotiate(request: Request, offered: tuple[str, ...]) -> str:
    """The media type to answer a request with: the offered one of the highest q value, the first one where equal.

    Raises Problem 406, which lists what is offered, if none is acceptable, and 431 for a very long header.
    """
    accept = joined_header(request.scope, b"accept")
    if len(accept) > MAX_ACCEPT:
        raise Problem(431, f"Accept: {len(accept)} characters; accepts {MAX_ACCEPT}", where="Accept", limit=MAX_ACCEPT)
    media = preferred(accept, offered)
    if media is None:
        raise Problem(406, f"there is {', '.join(offered)}", offered=list(offered))
    return media


@lru_cache(256)
def preferred(accept: str, offered: tuple[str, ...]) -> str | None:
    """The offered media type that an Accept header prefers; None if it accepts none. An empty one accepts all."""
    ranges = _ranges(accept.strip(" \t,") or "*/*")
    quality = {media: _quality(media, ranges) for media in offered}
    best = max(offered, key=lambda media: quality[media])
    return best if quality[best] > 0 else None


def _ranges(accept: str) -> list[tuple[str, float]]:
    """The media ranges of an Accept header, each with its q value. Other parameters are for the client to settle.

    What is not in the RFC is read as it is meant: ``*`` is ``*/*``, as Java writes it.
    """
    ranges = []
    for part in BETWEEN_COMMAS.findall(accept.lower()):
        media, *parameters = [piece.strip() for piece in BETWEEN_SEMICOLONS.findall(part)] or [""]
        quality = _q(parameters)
        if quality is not None:
            ranges.append(("*/*" if media == "*" else media, quality))
    return ranges


def _q(parameters: list[str]) -> float | None:
    """The q value among a range's parameters, from 0 to 1. The RFC wants up to three decimals; any number is read.

    None if it is no number: nothing tells then how much the range is wanted, so it is left out, as werkzeug and
    negotiator (npm) do. A client that accepts anything else still gets that.
    """
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.rstrip() == "q":
            try:
                number = float(value)
            except ValueError:
                return None
            return None if math.isnan(number) else min(max(number, 0.0), 1.0)
    return 1.0


def _quality(media: str, ranges: list[tuple[str, float]]) -> float:
    """The q value of the most specific range that covers ``media``; 0 if none does."""
    for pattern in (media, media.split("/")[0] + "/*", "*/*"):
        matching = [q for named, q in ranges if named == pattern]
        if matching:
            return max(matching)
    return 0.0
