"""Features that a classical classifier learns from: flattened pixels and histograms of oriented gradients."""

from .gradients import hog
from .pixels import flatten

__all__ = ["flatten", "hog"]
