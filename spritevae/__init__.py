"""Sprites with named attributes: train, export and serve variational autoencoders."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spritevae.model import Encoding, Model, load

__all__ = ["Encoding", "Model", "load"]


def __getattr__(name: str) -> Any:
    # When asked for: what they need takes longer to import than a service may be deaf to signals.
    if name in __all__:
        return getattr(import_module("spritevae.model"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
