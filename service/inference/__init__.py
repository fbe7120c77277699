"""Models that are served: repository, engine, sessions, predictions."""
