"""Architectures: each is a function of (channels, classes, size) that builds a module.

net.py         what is known of a net before it is built
table.py       all nets by name
layers.py      what any net is made of
third_party.py  nets of torchvision and timm
the others     a family of nets each
"""

from .net import Net
from .table import NETS, find

__all__ = ["NETS", "Net", "find"]
