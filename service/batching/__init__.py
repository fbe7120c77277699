"""The batch scheduler."""
