"""A trained model in torch as a codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.codec import Encoded, Float32
from training.model import VAE


def pixels(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Images [B, H, W, C] of 0..255 as [B, C, H, W] in 0..1, channels last in memory."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)


class TorchCodec:
    """A model in torch, full precision."""

    def __init__(self, model: VAE, device: torch.device | str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.attributes = model.attributes
        self.image_shape = model.image
        self._device = device
        torch.backends.cudnn.allow_tf32 = False

    @torch.inference_mode()
    def encode(self, images: NDArray[np.uint8]) -> Encoded:
        """z and weights of images [B, H, W, C]."""
        encoded = self.model.encode(pixels(images, self._device))
        return Encoded(encoded["z"].cpu().numpy(), encoded["weights"].cpu().numpy())

    @torch.inference_mode()
    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""
        decoded: Float32 = self.model.decode(torch.from_numpy(z).to(self._device)).permute(0, 2, 3, 1).cpu().numpy()
        return decoded

    @torch.inference_mode()
    def place(self, weights: NDArray[Any]) -> Float32:
        """z [B, D] of weights [B, sum K]."""
        placed: Float32 = self.model.latent.place(torch.from_numpy(weights).float().to(self._device)).cpu().numpy()
        return placed
