"""Features that a classical classifier learns from, each a function of images; `compute` joins groups of them.

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
