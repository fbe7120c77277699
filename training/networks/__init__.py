"""Encoder and decoder networks, and the backbones that presets choose from."""

from training.networks.backbones import BATCH_NORMALISED, DECODERS, DENSE, DIGITS, ENCODERS, LEAN, Backbones
from training.networks.decoders import (
    CoordinateDecoder,
    DenseDecoder,
    PixelShuffleDecoder,
    ResizingDecoder,
    SeparableDecoder,
    TransposedDecoder,
)
from training.networks.encoders import DenseEncoder, Encoder, PatchEncoder, StridedEncoder
from training.networks.layers import ImageShape

__all__ = [
    "BATCH_NORMALISED",
    "DECODERS",
    "DENSE",
    "DIGITS",
    "ENCODERS",
    "LEAN",
    "Backbones",
    "CoordinateDecoder",
    "DenseDecoder",
    "DenseEncoder",
    "Encoder",
    "ImageShape",
    "PatchEncoder",
    "PixelShuffleDecoder",
    "ResizingDecoder",
    "SeparableDecoder",
    "StridedEncoder",
    "TransposedDecoder",
]
