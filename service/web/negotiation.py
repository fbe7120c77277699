"""Content negotiation: which of the offered media types an Accept header prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.problems import Problem

QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def choose(accept: Sequence[str], offered: Sequence[str]) -> str:
    """The offered media type of the highest q value in the Accept lines of a request, the first one where equal.

    Raises Problem 406, which lists what is offered, if none is acceptable.
    """
    ranges = _ranges(",".join(accept) or "*/*")
    quality = {media: _quality(media, ranges) for media in offered}
    best = max(offered, key=lambda media: quality[media])
    if quality[best] <= 0:
        raise Problem(406, f"there is {', '.join(offered)}", offered=list(offered))
    return best


def _ranges(accept: str) -> list[tuple[str, float]]:
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
