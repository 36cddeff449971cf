"""Groups of features by name, and several of them side by side. Importing this imports no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from ..core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class FeatureGroup:
    """A group of features, and where the function that computes it is defined.

    summary: what the group describes, for lists. function: the name of a function in `module`, a file of this folder;
    it returns float32 (n, features) for images (n, channels, height, width), channel by channel, or what `each` says.
    The module's names(height, width) returns the names of the features of one channel, pair or image.
    described_by: what has these features: a channel, a pair of channels, or the image as a whole.
    """

    name: str
    summary: str
    module: str
    function: str
    described_by: Literal["channel", "pair", "image"] = "channel"

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
        FeatureGroup("hog", "edges by direction and place", "fixed_hog", "gradients"),
        FeatureGroup("texture", "local binary patterns", "patterns", "texture"),
        FeatureGroup("intensity", "how bright the pixels are", "brightness", "intensity"),
        FeatureGroup("haralick", "brightnesses side by side", "cooccurrence", "haralick"),
        FeatureGroup("radial", "light by distance from the middle", "rings", "radial"),
        FeatureGroup("granularity", "light in spots of each size", "openings", "granularity"),
        FeatureGroup("between", "light of two channels together", "channel_pairs", "between", "pair"),
        FeatureGroup(
            "shape", "area and outline of a cell on black, which --masks cuts out", "outline", "shape", "image"
        ),
    )
}
DEFAULT_GROUPS = tuple(name for name in GROUPS if name != "shape")
GROUPS_ON_BLACK = tuple(GROUPS)  # by default where masks had cut the cells out


@dataclass(frozen=True)
class Layout:
    """The names and columns of features.

    names: of all features, such as 'texture/DNA/radius 3/bin 7'. groups: the columns of each group. channels: the
    columns of each channel; the features of a pair of channels belong to both, those of a whole image to none.
    """

    names: tuple[str, ...]
    groups: Mapping[str, slice]
    channels: Mapping[str, list[int]]


@dataclass(frozen=True, eq=False)
class Features:
    """Features of images: values, (n, features) float32; names of the features; slices, the columns of each group."""

    values: "Tensor"
    names: tuple[str, ...]
    slices: Mapping[str, slice]


def check_groups(names: Sequence[str], setting: str = "features") -> None:
    """Raise UsageError, naming the setting, if `names` is empty or has an unknown or a repeated name."""
    if not names:
        raise UsageError(f"{setting} names no group; give one or several of {', '.join(GROUPS)}")
    for name in names:
        if name not in GROUPS:
            raise UsageError(f"no group of features is called {name!r}; {did_you_mean(str(name), GROUPS)}")
        if list(names).count(name) > 1:
            raise UsageError(f"{setting} names {name!r} twice; name each group once")


def layout(groups: Sequence[str], shape: Sequence[int], channel_names: Sequence[str] = ()) -> Layout:
    """Return names and columns of the features that `values_of` computes from images of this shape.

    shape: (channels, height, width).

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
        for source in _sources(group, channels):
            of = "/".join([group.name, *([" and ".join(source)] if source else [])])
            added = [f"{of}/{name}" for name in group.names(height, width)]
            for channel in source:
                columns[channel] += range(len(names), len(names) + len(added))
            names += added
        slices[group.name] = slice(start, len(names))
    return Layout(tuple(names), slices, columns)


def _sources(group: FeatureGroup, channels: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Return the channels that each set of a group's features is about; none of a whole image."""
    return combinations(channels, {"channel": 1, "pair": 2, "image": 0}[group.described_by])


def _check_channels(groups: Sequence[str], channels: int) -> None:
    if channels < 2 and all(GROUPS[name].described_by == "pair" for name in groups):
        raise UsageError(
            f"features={','.join(groups)} is of pairs of channels, and these images have {channels}; name another "
            "group too, such as texture"
        )


def values_of(groups: Sequence[str], images: "Tensor") -> "Tensor":
    """Return the features of several groups side by side, float32 (n, features), on the images' device.

    Raises UsageError for images that are too small for a group, and for one channel where all groups are of pairs;
    DataError for values that are not finite.
    """
    import torch

    _check_channels(groups, images.shape[1])
    return torch.cat([GROUPS[name].compute(images) for name in groups], 1)


def compute(images: "Tensor | NDArray", groups: Sequence[str], channel_names: Sequence[str] = ()) -> Features:
    """Compute the features of the given groups, with their names and columns.

    images: (n, channels, height, width) uint8, uint16 or float32, tensor or array. groups: names of GROUPS, each once.
    Raises UsageError for other names, and for images that are too small; DataError for values that are not finite.
    """
    from ..core.tensors import as_tensor

    check_groups(groups)
    images = as_tensor(images)
    where = layout(groups, images.shape[1:], channel_names)
    return Features(values_of(groups, images), where.names, where.groups)
