"""What data is, before anything is trained on it: labels, pixels, copies, contradictions, and what to do about them."""

from training.inspection.inspection import AttributeReport, Inspection, inspect
from training.inspection.summary import summary

__all__ = ["AttributeReport", "Inspection", "inspect", "summary"]
