"""Methods by name; importing this package registers those that come with cellbench, and imports no torch."""

from . import classical, deep, hybrid, probe
from .registry import MethodEntry, methods

__all__ = ["MethodEntry", "classical", "deep", "hybrid", "methods", "probe"]
