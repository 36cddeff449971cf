"""Methods by name; importing this package registers those that come with cellbench, and imports no torch."""

from . import classic, classical, combined, deep, floor, hybrid, probe
from .registry import MethodEntry, methods

__all__ = ["MethodEntry", "classic", "classical", "combined", "deep", "floor", "hybrid", "methods", "probe"]
