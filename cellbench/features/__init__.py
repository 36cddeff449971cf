"""Features that a classical classifier learns from, each a function of images; `compute` joins groups of them.

groups: the groups of features by name, and `compute`. A file each: pixels, gradients (HOG) and fixed_hog, patterns
(texture), brightness (intensity), cooccurrence (haralick), rings (radial), openings (granularity), channel_pairs
(between), outline (shape). tensors: images as numbers from 0 to 1, and scaling of features. oversampling: SMOTE.

A function's module is imported when it is asked for: names of groups are for lists and settings, which need no torch.
"""

from collections.abc import Callable
from importlib import import_module

MODULES = {
    "between": "channel_pairs",
    "compute": "groups",
    "flatten": "pixels",
    "granularity": "openings",
    "haralick": "cooccurrence",
    "hog": "gradients",
    "intensity": "brightness",
    "radial": "rings",
    "shape": "outline",
    "texture": "patterns",
}
__all__ = list(MODULES)


def __getattr__(name: str) -> Callable[..., object]:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{MODULES[name]}", __name__), name)
