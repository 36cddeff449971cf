"""Data sets by name; importing this package registers those that come with cellbench."""

from . import deepyeast, hep2, hpa, medmnist, synthetic, synthetic_hpa
from .registry import DatasetEntry, datasets

__all__ = ["DatasetEntry", "datasets", "deepyeast", "hep2", "hpa", "medmnist", "synthetic", "synthetic_hpa"]
