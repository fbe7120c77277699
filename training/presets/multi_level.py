"""Multi-level VAE: a class that a group of images shares, and a style of each image.

Source: github.com/ananyahjha93/multi-level-vae (PyTorch; its class codes get no gradient), after Bouchacourt, Tomioka
and Nowozin 2018 (arXiv 1705.08841). Its table, classifiers on MNIST test codes: style 42.1 / class 99.7 % with evidence
formed by test labels, which leaks them; 43.0 / 38.6 % without.
Data: mnist, or any images with a labelled discrete attribute (``group``; by default the first one).
Command: ``spritevae train multi_level --data mnist``.
Expected: MNIST test images, single and unseen: class codes tell the digit in 98.6 %, style codes in 20.4 % (chance
11.4 %), reconstruction 70.2 nats, 1.09 times that of a plain VAE of as many latents; after 4,800,000 images: 9 minutes
on one core of a CPU with bf16 instructions; docs/systems.md has the figures of other leak weights.
Differs from it: gradient flows through the evidence; evidence from some of a group's images stands for all of them, so
that the class of a single image can be read and decoded; an adversary learns what style tells of the group, and the
model learns to mislead it (weighted by ``leak_weight``), for which a group must have the same label in every batch;
style counts a fifth in the KL term; dense layers with batch normalisation.
"""

from __future__ import annotations

from functools import partial

from attributes import Attributes
from training.adversary import Adversary
from training.latents import Evidence, Latent, Space, Unsupervised
from training.losses import KL, AdversarialLoss, Reconstruction
from training.networks import BATCH_NORMALISED
from training.recipe import Recipe
from training.schedules import hold_then_linear, ramp


def multi_level(
    detached: bool,
    *,
    images: int = 4_800_000,
    batch_size: int = 256,
    learning_rate: float = 2e-3,
    latent: int = 12,
    class_latent: int = 8,
    group: str = "",
    style_beta: float = 0.2,
    leak_weight: float = 12.0,
    subgroups: bool = True,
) -> Recipe:
    """A multi-level VAE; its keyword arguments are the settings of the presets that it makes.

    Without class latents it is a plain VAE over the same network, to compare with.
    """
    leak_weight = leak_weight if class_latent else 0.0

    def latents(features: int, attributes: Attributes) -> list[Latent]:
        shared = [Evidence(attributes.discrete(group), class_latent, detached, subgroups)] if class_latent else []
        return [*shared, Unsupervised(latent, "style")]

    def adversary(space: Space) -> Adversary:
        (evidence,) = space.of(Evidence)
        return Adversary(latent, evidence.width)

    return Recipe(
        encoder=BATCH_NORMALISED.encoder,
        decoder=BATCH_NORMALISED.decoder,
        latents=latents,
        losses=(
            Reconstruction(),
            KL(free=style_beta),
            *([AdversarialLoss(ramp(0.0, leak_weight, 0.15))] if leak_weight else []),
        ),
        adversary=adversary if leak_weight else None,
        images=images,
        batch_size=batch_size,
        learning_rate=hold_then_linear(learning_rate, hold=0.5, warmup=0.01),
    )


recipe = partial(multi_level, False)
