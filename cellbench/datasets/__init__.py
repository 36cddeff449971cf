"""Data sets by name; importing this package registers those that come with cellbench."""

from . import hep2, synthetic
from .registry import DatasetEntry, datasets

__all__ = ["DatasetEntry", "datasets", "hep2", "synthetic"]
