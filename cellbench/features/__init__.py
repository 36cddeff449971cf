"""Features that a classical classifier learns from, each a function of images; `compute` joins groups of them."""

from .between import between
from .brightness import intensity
from .cooccurrence import haralick
from .gradients import hog
from .groups import GROUPS, Features, compute
from .pixels import flatten
from .spread import granularity, radial
from .patterns import texture

__all__ = [
    "GROUPS",
    "Features",
    "between",
    "compute",
    "flatten",
    "granularity",
    "haralick",
    "hog",
    "intensity",
    "radial",
    "texture",
]
