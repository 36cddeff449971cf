"""Groups of features by name, each computed by one function, and the names of the single features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import UsageError, did_you_mean
from ..core.tensors import as_tensor
from . import brightness, cooccurrence, patterns, spread
from .between import MEASURES, between
from .gradients import hog
from .tensors import as_float, in_chunks

HOG_SIDE = 64  # pixels that images are resized to for HOG, whose number of features grows with them


@dataclass(frozen=True)
class Group:
    """function makes (n, features) float32 of (n, channels, height, width) images; names(height, width): of the
    features of one channel, or pair of channels, by which the function's result is ordered."""

    name: str
    summary: str
    source: str
    function: Callable[[Tensor], Tensor]
    names: Callable[[int, int], list[str]]
    pairs: bool = False


@dataclass(frozen=True, eq=False)
class Features:
    """values (n, f) float32; names (f,), such as 'texture/DNA/radius 3/bin 7'; the columns of each group."""

    values: Tensor
    names: tuple[str, ...]
    slices: Mapping[str, slice]


def gradients(images: Tensor, pixels_per_cell: int = 8) -> Tensor:
    """HOG of images resized to 64×64 pixels (bilinear, antialiased), see `hog`."""

    def resized(chunk: Tensor) -> Tensor:
        return F.interpolate(as_float(chunk), (HOG_SIDE, HOG_SIDE), mode="bilinear", antialias=True)

    return in_chunks(images, lambda chunk: hog(resized(chunk), pixels_per_cell=pixels_per_cell))


def _hog_names(height: int, width: int, pixels_per_cell: int = 8) -> list[str]:
    return [f"{k}" for k in range((HOG_SIDE // pixels_per_cell - 1) ** 2 * 36)]


GROUPS = {
    group.name: group
    for group in (
        Group("hog", "edges by direction and place", "Dalal & Triggs 2005", gradients, _hog_names),
        Group(
            "hog-coarse",
            "edges by direction and place, cells of 16 pixels",
            "Dalal & Triggs 2005",
            lambda images: gradients(images, 16),
            lambda height, width: _hog_names(height, width, 16),
        ),
        Group("texture", "local binary patterns", "Ojala et al. 2002", patterns.texture, patterns.names),
        Group("intensity", "quantiles, moments, histogram", "", brightness.intensity, brightness.names),
        Group("granularity", "spectrum of openings", "Soille 2003", spread.granularity, spread.granularity_names),
        Group("haralick", "co-occurrence", "Haralick et al. 1973", cooccurrence.haralick, cooccurrence.names),
        Group("radial", "light by distance from the middle", "CellProfiler", spread.radial, spread.radial_names),
        Group("between", "light of two channels", "Manders et al. 1993", between, lambda *_: list(MEASURES), True),
    )
}


def check_groups(names: Sequence[str]) -> None:
    """Raises UsageError for no group, one that is not known, or one twice."""
    if not names:
        raise UsageError(f"features names no group; give one or several of {', '.join(GROUPS)}")
    for name in names:
        if name not in GROUPS:
            raise UsageError(f"no group of features is called {name!r}; {did_you_mean(str(name), GROUPS)}")
    if twice := [name for name in GROUPS if list(names).count(name) > 1]:
        raise UsageError(f"features names {twice[0]!r} twice; name each group once")


def compute(images: Tensor | NDArray, groups: Sequence[str], channel_names: Sequence[str] = ()) -> Features:
    """The features of some groups, side by side, on the images' device.

    images: (n, channels, height, width) uint8, uint16 or float32. channel_names: without any they are numbers from 0.
    Raises UsageError for groups as `check_groups`, and for images too small for one; DataError for values that are not
    finite.
    """
    check_groups(groups)
    images = as_tensor(images)
    _, channels, height, width = images.shape
    channel_names = channel_names or [f"channel {k}" for k in range(channels)]
    values, names, slices = [], [], {}
    for name in groups:
        values.append(GROUPS[name].function(images))
        start = len(names)
        names += _names(GROUPS[name], height, width, channel_names)
        slices[name] = slice(start, len(names))
    return Features(torch.cat(values, 1), tuple(names), slices)


def _names(group: Group, height: int, width: int, channels: Sequence[str]) -> list[str]:
    sources = [f"{a} and {b}" for a, b in combinations(channels, 2)] if group.pairs else channels
    return [f"{group.name}/{source}/{name}" for source in sources for name in group.names(height, width)]
