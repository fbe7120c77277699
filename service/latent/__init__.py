"""From requests to points in latent space."""
