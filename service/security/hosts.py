"""Host names in requests, and origins of browsers."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_NAME = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:/?#@\[\]\\]*))(:\d{0,5})?")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


def pattern(text: str) -> str:
    """A name, ``*.example.com``, an address or ``*``, as ``matches`` takes it; raises ValueError."""
    if _NAME.fullmatch(name := text.lower()) or _address(name):
        return name
    raise ValueError("accepts names and addresses without a port, *.example.com and *")


def origin(text: str) -> str:
    """An origin as browsers send it, or ``*``; raises ValueError."""
    if _ORIGIN.fullmatch(sent := text.lower()):
        return sent
    raise ValueError("accepts origins like https://example.com or http://localhost:3000, without a path, and *")


def host_name(host: str) -> str | None:
    """The name in a Host header, without port; None if it is no host, such as ``[::1].example.com``."""
    if not (found := _HOST.fullmatch(host)):
        return None
    return (found["address"] or found["name"]).lower().removesuffix(".")


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine's own."""
    address = _address(name)
    return address.is_loopback if address else name == "localhost" or name.endswith(".localhost")


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern: the same name, one below ``*.example.com``, or any name for ``*``."""
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def plain_address(text: str) -> str:
    """An address as text. Sockets for both families give IPv4 addresses as ``::ffff:192.0.2.1``: that becomes IPv4."""
    return str(_address(text) or text)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
