"""The experiments that docs/systems.md and docs/model.md report."""
