"""The Open Inference Protocol v2 (KServe, Triton) with its extensions for binary tensors and the model repository."""
