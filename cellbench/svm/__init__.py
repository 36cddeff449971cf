"""Kernel support vector machines behind one factory."""

from .backends import BACKENDS, available, choose

__all__ = ["BACKENDS", "available", "choose"]
