"""The reference pair: an encoder and a decoder as most convolutional VAEs for 64 x 64 pixels have them, as a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from attributes import Part
from export.bundle import CARD, CODEBOOK, DECODER, ENCODER, GOLDEN, seal, writing_bundle
from export.manifest import GraphSpec, ImageSpec, Manifest, Provenance, Scores, TensorSpec
from export.onnx import OPSET, TOLERANCE, to_onnx
from training.data.dsprites import ATTRIBUTES, RenderedDSprites
from training.data.dsprites_renderer import SIDE
from training.networks import StridedEncoder, TransposedDecoder

SIZES = [attribute.size for attribute in ATTRIBUTES]
IMAGE = (SIDE, SIDE, 1)
ROWS = 64
GOLDEN_ROWS = 4


class Encoder(nn.Module):
    """Images [B, 1, 64, 64] to z and weights [B, 113], the same here: convolutions 1-32-32-64-64 of 4 x 4, stride 2,
    dense 1024-256-113, a softmax per attribute.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = StridedEncoder(IMAGE, channels=(32, 32, 64, 64), hidden=(256,))
        self.head = nn.Linear(self.features.features, ATTRIBUTES.total)

    def logits(self, image: Tensor) -> Tensor:
        """Scores of classes [B, 113]."""
        scores: Tensor = self.head(self.features(image))
        return scores

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.split(self.logits(image), SIZES, dim=1)
        weights = torch.cat([each.softmax(dim=1) for each in logits], dim=1)
        return weights, weights.clone()


class Decoder(nn.Module):
    """z [B, 113] to images [B, 1, 64, 64] in 0..1: dense 113-256-1024, transposed convolutions 64-64-32-32-1 of 4 x 4,
    stride 2, sigmoid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = TransposedDecoder(ATTRIBUTES.total, IMAGE, trunk=(256,), channels=(64, 64, 32, 32))
        for layer in self.layers.convolutions:
            if isinstance(layer, nn.ConvTranspose2d):  # He et al. 2015; four taps of a channel meet in a pixel
                nn.init.normal_(layer.weight, std=(2 / (4 * layer.in_channels)) ** 0.5)

    def forward(self, z: Tensor) -> tuple[Tensor]:
        return (torch.sigmoid(self.layers(z)),)


@torch.no_grad()
def halves() -> tuple[Encoder, Decoder]:
    """Both with random weights, always the same, whose logits are spread so that no two answers are alike."""
    torch.manual_seed(0)
    encoder, decoder = Encoder().eval(), Decoder().eval()
    image, z = examples()
    last = decoder.layers.convolutions[-1]
    assert isinstance(last, nn.ConvTranspose2d)
    encoder.head.weight /= encoder.logits(image).std()
    last.weight /= decoder.layers(z).std()
    return encoder, decoder


def examples() -> tuple[Tensor, Tensor]:
    """Random sprites [64, 1, 64, 64] and z [64, 113] of their attributes."""
    sprites = RenderedDSprites()
    batch = sprites.batch(np.random.default_rng(0).integers(len(sprites), size=ROWS))
    return torch.from_numpy(batch.images.transpose(0, 3, 1, 2) / np.float32(255)), torch.from_numpy(batch.targets)


@torch.no_grad()
def write_reference(path: Path) -> Manifest:
    """Write the pair as a bundle at ``path``; a circular attribute's alias keeps its own dimension of z."""
    encoder, decoder = halves()
    image, z = examples()
    graphs = {
        ENCODER: to_onnx(encoder, {"image": image[:2]}, ("z", "weights")),
        DECODER: to_onnx(decoder, {"z": z[:2]}, ("image",)),
    }
    image, z = image[:GOLDEN_ROWS], z[:GOLDEN_ROWS]
    encoded, _ = encoder(image)
    (decoded,) = decoder(z)
    golden = {"image": image, "z": z, "encoder.z": encoded, "encoder.weights": encoded, "decoder.image": decoded}
    with writing_bundle(path) as folder:
        for name, graph in graphs.items():
            (folder / name).write_bytes(graph.SerializeToString())
        total = ATTRIBUTES.total
        np.savez(folder / CODEBOOK, matrix=np.eye(total, dtype=np.float32), offset=np.zeros(total, np.float32))
        np.savez(folder / GOLDEN, **{name: tensor.numpy() for name, tensor in golden.items()})
        (folder / CARD).write_text("# reference\n\nRandom weights, to measure speed with.\n")
        return seal(folder, _manifest(path.name))


def _manifest(name: str) -> Manifest:
    total = ATTRIBUTES.total
    starts = np.cumsum([0, *SIZES])
    images = TensorSpec(name="image", shape=(-1, 1, SIDE, SIDE))
    z, weights = (TensorSpec(name=each, shape=(-1, total)) for each in ("z", "weights"))
    return Manifest(
        name=name,
        system="reference",
        image=ImageSpec(height=SIDE, width=SIDE, channels=1),
        attributes=tuple(ATTRIBUTES),
        latents=tuple(
            Part(each.name, int(start), int(start) + each.size)
            for each, start in zip(ATTRIBUTES, starts[:-1], strict=True)
        ),
        encoder=GraphSpec(inputs=(images,), outputs=(z, weights)),
        decoder=GraphSpec(inputs=(z,), outputs=(images,)),
        opset=OPSET,
        tolerances={"fp32": TOLERANCE},
        training=Provenance(),
        scores=Scores(),
    )
