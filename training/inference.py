"""A trained model in torch as a codec."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attributes import Float32
from training.autoencoder import Encoded
from training.model import VAE


def pixels(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Images [B, H, W, C] of 0..255 as [B, C, H, W] in 0..1, channels last in memory."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)


class TorchAutoencoder:
    """A model in torch, full precision; its codebook is that of the moment when the codec was made."""

    unfamiliar = None

    def __init__(self, model: VAE, device: torch.device | str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.codebook = model.space.codebook()
        self.image_shape = model.image
        self._device = device
        torch.backends.cudnn.allow_tf32 = False

    @torch.inference_mode()
    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        """What the encoder says of images [B, H, W, C]; ``given`` [B, sum K] tells it the conditions."""
        batch = pixels(images, self._device)
        told = None if given is None else torch.from_numpy(given).float().to(self._device)
        labels = None if told is None else self.model.space.told(told, told.new_ones(len(told), 1))
        encoded = self.model.encode(batch, labels)
        return Encoded(**{name: array.cpu().numpy() for name, array in encoded.items()})

    @torch.inference_mode()
    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""
        decoded: Float32 = self.model.decode(torch.from_numpy(z).to(self._device)).permute(0, 2, 3, 1).cpu().numpy()
        return decoded
