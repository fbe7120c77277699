"""Multi-level VAE: a class that a group of images shares, and a style of each image.

Source: github.com/ananyahjha93/multi-level-vae (PyTorch; its class codes get no gradient), after Bouchacourt, Tomioka
and Nowozin 2018 (arXiv 1705.08841). Its table, classifiers on MNIST test codes: style 42.1 / class 99.7 % with evidence
formed by test labels, which leaks them; 43.0 / 38.6 % without.
Data: mnist, or any images with a labelled discrete attribute (``group``; by default the first one).
Command: ``spritevae train multi_level --data mnist``.
Expected: classifiers on MNIST test codes of single images: class 95.8 %, style 49.8 %, reconstruction 88.6 nats after
1,200,000 images: 9 minutes on one core of a CPU with bf16 instructions. The aim, class 97 % and style 25 %, is not
reached.
Differs from it: gradient flows through the evidence; half the images stand alone, so that the class of a single image
can be read and decoded; a penalty on what style tells of the group (``leak_weight``); convolutions.
"""

from __future__ import annotations

from functools import partial

from training.attributes import Attributes
from training.latents import Evidence, Free, Latent
from training.model import Recipe
from training.nets import DIGITS
from training.schedules import hold_then_linear
from training.terms import KL, Leak, Reconstruction


def multi_level(
    detached: bool,
    *,
    images: int = 3_000_000,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    latent: int = 10,
    class_latent: int = 10,
    group: str = "",
    leak_weight: float = 50.0,
    alone_share: float = 0.5,
) -> Recipe:
    """A multi-level VAE; its keyword arguments are the settings of the presets that it makes."""

    def latents(features: int, attributes: Attributes) -> list[Latent]:
        return [Evidence(attributes.discrete(group), class_latent, detached, alone_share), Free(latent, "style")]

    return Recipe(
        encoder=DIGITS.encoder,
        decoder=DIGITS.decoder,
        latents=latents,
        terms=(Reconstruction(), KL(), *([Leak(leak_weight)] if leak_weight else [])),
        images=images,
        batch_size=batch_size,
        learning_rate=hold_then_linear(learning_rate, hold=0.5, warmup=0.01),
    )


recipe = partial(multi_level, False)
