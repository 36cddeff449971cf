"""Neural networks: a table of them by name, one family a file; each is built for (channels, classes, size)."""

from .table import NETS, Net, find

__all__ = ["NETS", "Net", "find"]
