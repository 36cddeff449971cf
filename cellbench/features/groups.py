"""Groups of features by name, and several of them side by side. Importing this imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from types import ModuleType
from typing import TYPE_CHECKING

from ..core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Group:
    """summary: what it sees, for lists. function: its name in `module`, a file of this folder, which makes float32
    (n, features) of images (n, channels, height, width), in the order of channels, or of pairs of channels. The
    module's names(height, width) are those of the features of one channel, or pair."""

    name: str
    summary: str
    module: str
    function: str
    pairs: bool = False

    def compute(self, images: "Tensor") -> "Tensor":
        return getattr(self._module, self.function)(images)

    def names(self, height: int, width: int) -> list[str]:
        return self._module.names(height, width)

    @property
    def _module(self) -> ModuleType:
        return import_module(f".{self.module}", __package__)


GROUPS = {
    group.name: group
    for group in (
        Group("hog", "edges by direction and place", "fixed_hog", "gradients"),
        Group("texture", "local binary patterns", "patterns", "texture"),
        Group("intensity", "how bright the pixels are", "brightness", "intensity"),
        Group("haralick", "brightnesses side by side", "cooccurrence", "haralick"),
        Group("radial", "light by distance from the middle", "rings", "radial"),
        Group("granularity", "light in spots of each size", "openings", "granularity"),
        Group("between", "light of two channels together", "channel_pairs", "between", True),
    )
}


@dataclass(frozen=True)
class Layout:
    """Where what is: names of all features, such as 'texture/DNA/radius 3/bin 7'; the columns of each group; those of
    each channel, which pairs of channels share."""

    names: tuple[str, ...]
    groups: Mapping[str, slice]
    channels: Mapping[str, list[int]]


@dataclass(frozen=True, eq=False)
class Features:
    """values: (n, features) float32; names: of the features; slices: the columns of each group."""

    values: "Tensor"
    names: tuple[str, ...]
    slices: Mapping[str, slice]


def check_groups(names: Sequence[str], setting: str = "features") -> None:
    """Raises UsageError, naming the setting, when there is no name, an unknown one, or one twice."""
    if not names:
        raise UsageError(f"{setting} names no group; give one or several of {', '.join(GROUPS)}")
    for name in names:
        if name not in GROUPS:
            raise UsageError(f"no group of features is called {name!r}; {did_you_mean(str(name), GROUPS)}")
        if list(names).count(name) > 1:
            raise UsageError(f"{setting} names {name!r} twice; name each group once")


def layout(groups: Sequence[str], shape: Sequence[int], channel_names: Sequence[str] = ()) -> Layout:
    """The layout of what `values_of` makes of images of this shape, (channels, height, width).

    channel_names: without any they are 'channel 0', 'channel 1' and so on. Raises UsageError as `values_of` does.
    """
    count, height, width = shape
    _check_channels(groups, count)
    channels = list(channel_names) or [f"channel {k}" for k in range(count)]
    names: list[str] = []
    slices: dict[str, slice] = {}
    columns: dict[str, list[int]] = {channel: [] for channel in channels}
    for group in map(GROUPS.__getitem__, groups):
        start = len(names)
        for source in combinations(channels, 2) if group.pairs else ((channel,) for channel in channels):
            added = [f"{group.name}/{' and '.join(source)}/{name}" for name in group.names(height, width)]
            for channel in source:
                columns[channel] += range(len(names), len(names) + len(added))
            names += added
        slices[group.name] = slice(start, len(names))
    return Layout(tuple(names), slices, columns)


def _check_channels(groups: Sequence[str], channels: int) -> None:
    if channels < 2 and all(GROUPS[name].pairs for name in groups):
        raise UsageError(
            f"features={','.join(groups)} is of pairs of channels, and these images have {channels}; name another "
            "group too, such as texture"
        )


def values_of(groups: Sequence[str], images: "Tensor") -> "Tensor":
    """The features of several groups side by side, float32 (n, features), on the images' device.

    Raises UsageError for images that are too small for a group, and for one channel where all groups are of pairs;
    DataError for values that are not finite.
    """
    import torch

    _check_channels(groups, images.shape[1])
    return torch.cat([GROUPS[name].compute(images) for name in groups], 1)


def compute(images: "Tensor | NDArray", groups: Sequence[str], channel_names: Sequence[str] = ()) -> Features:
    """Values, names and places of the features of some groups.

    images: (n, channels, height, width) uint8, uint16 or float32, tensor or array. groups: names of GROUPS, each once.
    Raises UsageError for other names, and for images that are too small; DataError for values that are not finite.
    """
    from ..core.tensors import as_tensor

    check_groups(groups)
    images = as_tensor(images)
    where = layout(groups, images.shape[1:], channel_names)
    return Features(values_of(groups, images), where.names, where.groups)
