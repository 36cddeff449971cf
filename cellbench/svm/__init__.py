"""Kernel support vector machines: our own solver on torch, and the libraries that it is measured against."""

from .backends import BACKENDS, available, candidates, choose
from .classifier import SVC, path

__all__ = ["BACKENDS", "SVC", "available", "candidates", "choose", "path"]
