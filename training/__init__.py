"""From images to a trained model whose latent dimensions are named attributes (torch)."""
