"""Proxies in front of the service: the path that they serve it under, and the addresses that are believed."""

from __future__ import annotations

import re
from ipaddress import ip_network

_PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
# Below these prefixes, a path could be one of the service's own as well as one with the prefix before it.
_OWN = re.compile(
    r"/(docs|health|models|v2)(/.*)?|/(decode|edit|encode|interpolate|metrics|openapi\.json|recombine)", re.DOTALL
)


def path_prefix(text: str) -> str:
    """A path like ``/sprites``, or nothing; raises ValueError."""
    if text and not _PREFIX.fullmatch(text):
        raise ValueError("accepts a path like /sprites: it starts with /, ends without one, and has no query and no %")
    if _OWN.fullmatch(text):
        raise ValueError("accepts no path of the service itself")
    return text


def trusted_proxy(text: str) -> str:
    """An address, a network or ``*``; raises ValueError."""
    try:
        return text if text == "*" else str(ip_network(text))
    except ValueError as error:
        raise ValueError(f"accepts addresses, networks like 10.0.0.0/8, and *: {error}") from None
