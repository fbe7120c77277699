"""What is read of an ASGI scope without a Request object."""

from __future__ import annotations

from starlette.types import Scope

# Probes need no key, may name any host, and are answered however busy the service is: they tell only yes or no.
PROBES = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
# The documentation needs no key either: it is the same in every service, and has the form that takes the key.
PAGES = frozenset({"/", "/docs", "/openapi.json"})
PAGE_FILES = "/docs/"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of that name; empty if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


def joined_header(scope: Scope, name: bytes) -> str:
    """All headers of that name as one, with commas between (RFC 9110, section 5.3); empty if there is none."""
    return b",".join([value for key, value in scope["headers"] if key == name]).decode("latin-1")


def is_open(path: str) -> bool:
    """Whether anybody may ask for a path: a probe, or the documentation."""
    return path in PROBES or path in PAGES or path.startswith(PAGE_FILES)


def method_label(scope: Scope) -> str:
    """The request's method as a label of metrics, which clients must not be able to invent."""
    method: str = scope["method"]
    return method if method in METHODS else "other"


def without_prefix(scope: Scope, prefix: str) -> Scope:
    """A scope whose path has no path prefix, whether it came with it or without, and whose root path is that prefix."""
    path = scope["path"]
    if path == prefix or path.startswith(f"{prefix}/"):
        path = path[len(prefix) :] or "/"
    return {**scope, "path": path, "root_path": prefix}
