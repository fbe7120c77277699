"""From a trained model to a bundle: two ONNX graphs, a codebook and a manifest."""

import os

# onnxruntime sends telemetry to its maker unless this is set before the import (as in service).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
