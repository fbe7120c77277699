"""A trained model in torch as numpy functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attributes import Float32
from training.autoencoder import Encoded
from training.model import VAE


def image_tensor(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Images [B, H, W, C] in 0..255 as a tensor [B, C, H, W] in 0..1, channels last in memory."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)


class TorchAutoencoder:
    """A model in torch, in full precision. Its codebook is taken once, when the object is made."""

    unfamiliar = None

    def __init__(self, model: VAE, device: torch.device | str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.codebook = model.space.codebook()
        self.image_shape = model.image
        self._device = device
        torch.backends.cudnn.allow_tf32 = False  # scores and exported graphs are those of full precision

    @torch.inference_mode()
    def encode(self, images: NDArray[np.uint8], given: NDArray[Any] | None = None) -> Encoded:
        """Encode images [B, H, W, C]. ``given`` [B, sum K] holds the conditions."""
        targets = None
        if given is not None:
            weights = torch.from_numpy(given).float().to(self._device)
            targets = self.model.space.condition_targets(weights, weights.new_ones(len(weights), 1))
        encoded = self.model.encode(image_tensor(images, self._device), targets)
        return Encoded(*(tensor.cpu().numpy() for tensor in encoded))

    @torch.inference_mode()
    def decode(self, z: Float32) -> Float32:
        """Images [B, H, W, C] in 0..1 of z [B, D]."""
        decoded: Float32 = self.model.decode(torch.from_numpy(z).to(self._device)).permute(0, 2, 3, 1).cpu().numpy()
        return decoded
