"""From a trained model to a bundle: two ONNX graphs, a codebook and a manifest."""
