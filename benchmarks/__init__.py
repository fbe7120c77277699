"""How fast the service answers, beside other ways to serve the same model: ``python -m benchmarks``."""
