"""Neural networks: a table of them by name, one family a file; each is built for (channels, classes, size)."""

from .net import Net
from .table import NETS, find

__all__ = ["NETS", "Net", "find"]
