"""From a bundle to HTTP: FastAPI over onnxruntime, without torch."""
