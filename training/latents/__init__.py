"""Latent variables, and the latent space that they make together."""
