"""Latent variables, one file per family, and the latent space that they make together."""

from training.latents.base import DiscreteLatent, Latent, Posterior, Target, cross_entropy, gaussian_kl
from training.latents.categorical import Argmax, GaussianLogits, Sampled, Softmax
from training.latents.classified import Branched, Guided
from training.latents.conditional import Condition
from training.latents.embedding import Embedding
from training.latents.evidence import Evidence
from training.latents.free import Unsupervised
from training.latents.scalar import ContinuousRegression, IndexRegression
from training.latents.space import Space, Targets

__all__ = [
    "Argmax",
    "Branched",
    "Condition",
    "ContinuousRegression",
    "DiscreteLatent",
    "Embedding",
    "Evidence",
    "GaussianLogits",
    "Guided",
    "IndexRegression",
    "Latent",
    "Posterior",
    "Sampled",
    "Softmax",
    "Space",
    "Target",
    "Targets",
    "Unsupervised",
    "cross_entropy",
    "gaussian_kl",
]
