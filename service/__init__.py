"""From a bundle to HTTP: FastAPI over onnxruntime, without torch."""

import os

# Its builds of 1.29 and later write an identifier to disk and report to their maker unless this is set before import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
