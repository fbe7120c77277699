"""From a trained model to a bundle: two ONNX graphs, a codebook and a manifest."""

import os

# As in service: onnxruntime reports to its maker unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
