"""Sprites with named attributes: train, export and serve variational autoencoders."""

from spritevae.model import Encoding, Model, load

__all__ = ["Encoding", "Model", "load"]
