"""What a run learns from: images, labels, and which of them are for training, choosing and testing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .mixed_values import Facts
from .split_names import unit_of
from .text.shown_text import visible
from .text.words import counted

PARTS = ("train", "val", "test")
Images = NDArray[np.uint8 | np.uint16 | np.float32]  # (n, channels, height, width)
Labels = NDArray[np.int64] | NDArray[np.bool_]  # (n,); (n, classes) where images have several
IMAGE_DTYPES = (np.dtype("uint8"), np.dtype("uint16"), np.dtype("float32"))


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Three disjoint sets of positions, each int64 of shape (n_part,), and the name of the rule that made them.

    together: (n,) int64 for all images of the data set: images with equal numbers are a block that the rule keeps in
    one part, beside the data set's groups; None for rules without blocks.
    """

    name: str
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]
    together: NDArray[np.int64] | None = None

    def __getitem__(self, part: str) -> NDArray[np.int64]:
        return {"train": self.train, "val": self.val, "test": self.test}[part]

    def __repr__(self) -> str:
        return f"split {self.name}: {', '.join(f'{len(self[part]):,} {part}' for part in PARTS)}"


@dataclass(frozen=True)
class Info:
    """Where data come from: `synthetic` marks simulated images; `fingerprint` identifies the content.

    groups_are: what the groups are, as the column that names them does ('donor'); empty where that is not known.
    reading: how a folder's files became its images, for whoever reads more of them: 'masks', whether cells were cut out
    by their masks, and 'side', in pixels, of the squares they were put into; 'pattern' of files with one channel each;
    'side_by_side', whether channels were squares side by side in each image;
    'file_channels', the names that the files give their channels; 'default_size', whether images of mixed sizes were
    brought to a size that nobody asked for. Empty for other data sets.
    """

    licence: str = "see the source"
    citation: str = "see the source"
    synthetic: bool = False
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    groups_are: str = ""
    reading: Facts = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """One part of a data set, as a method sees it.

    images: (n, channels, height, width) uint8, uint16 or float32; labels: (n,) int64, or (n, classes) bool;
    channels: their names, or none where they are not known.
    """

    images: Images
    labels: NDArray[Any]  # Labels, one or several an image: `multilabel` tells which
    classes: tuple[str, ...]
    channels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"{_images(self.images)}, {self.images.dtype}; {len(self.classes)} classes"

    @property
    def multilabel(self) -> bool:
        return self.labels.ndim == 2


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Frozen images with labels and a split; arrays are made read-only. It prints as two lines that say what it holds.

    images: (n, channels, height, width) uint8, uint16 or float32, in memory or memory-mapped.
    labels: (n,) int64 in 0..len(classes)-1, or (n, len(classes)) bool when multi-label.
    groups: (n,) int64 (well, slide, patient: what must not straddle a split) or None.
    ids: (n,) str, the file that each image came from, as a path inside the folder; None where that is not known.
    Raises DataError when shapes, types, labels or the split contradict each other.
    """

    name: str
    images: Images
    labels: Labels
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    split: Split
    groups: NDArray[np.int64] | None = None
    info: Info = field(default_factory=Info)
    ids: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        for name in ("name", "classes", "channels"):  # of folders and tables, and shown by terminals and pages
            given = getattr(self, name)
            shown = visible(given) if isinstance(given, str) else tuple(map(visible, given))
            object.__setattr__(self, name, shown)
        for problem in _problems(self):
            raise DataError(f"data set {self.name!r}: {problem}")
        for array in (self.images, self.labels, self.groups, self.ids, *(self.split[part] for part in PARTS)):
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        channels = f"{'channel' if len(self.channels) == 1 else 'channels'} {', '.join(self.channels)}"
        what = f"{self.name}: {_images(self.images)}, {channels}, {self.images.dtype}"
        return f"{what}\n{self.split}; {len(self.classes)} classes"

    @property
    def multilabel(self) -> bool:
        return self.labels.ndim == 2

    @property
    def units(self) -> NDArray[np.int64] | None:
        """Which images depend on each other, (n,): the groups, or what the split keeps together if that is coarser.

        Figures are as certain as the number of these in test allows, not as the number of images. None if unknown.
        """
        known = [units for units in (self.groups, self.split.together) if units is not None]
        return min(known, key=lambda units: len(np.unique(units)), default=None)

    @property
    def units_are(self) -> str:
        """The column that names the `units`, as `Info.groups_are`; empty for blocks, and where it is not known."""
        return self.info.groups_are if self.units is self.groups else ""

    @property
    def unit(self) -> str:
        """What one of the `units` is called in sentences: well, donor, block, or group if nobody says."""
        return unit_of(self.units_are, self.split.name if self.units is not self.groups else "")

    def unit_counts(self) -> dict[str, int] | None:
        """Return the number of `units` in each part, or None where they are not known."""
        units = self.units
        return None if units is None else {part: len(np.unique(units[self.split[part]])) for part in PARTS}

    def name_of(self, position: int) -> str:
        """Return what an image is called in messages: its file, or 'image 7' where that is not known."""
        return f"image {position}" if self.ids is None else visible(str(self.ids[position]))

    def part(self, name: str) -> Samples:
        """Return the samples of 'train', 'val' or 'test', with a copy of their images."""
        index = self.split[name]
        return Samples(self.images[index], self.labels[index], self.classes, self.channels)

    def class_counts(self) -> Mapping[str, list[int]]:
        """Return the number of images of each class in each part: {'train': [n of class 0, ...], ...}."""
        return {part: count_classes(self.labels[self.split[part]], len(self.classes)) for part in PARTS}


def _images(images: Images) -> str:
    return f"{counted(len(images), 'image')} of {' × '.join(map(str, images.shape[2:]))} pixels"


def count_classes(labels: Labels, n_classes: int) -> list[int]:
    """Return the number of images of each class; an image with several labels counts once for each of them."""
    counts = labels.sum(0) if labels.ndim == 2 else np.bincount(labels, minlength=n_classes)
    return [int(n) for n in counts]


def absent_classes(classes: Sequence[str], counts: Sequence[int]) -> list[str]:
    """Return the names of the classes that no image has; counts: the number of images of each class."""
    return [name for name, n in zip(classes, counts, strict=True) if not n]


class Digest(Protocol):
    """A hash under way, as hashlib makes them."""

    def update(self, data: bytes | memoryview, /) -> None: ...


def add_content(digest: Digest, array: NDArray[np.generic]) -> None:
    """Add an array's type, shape and values to a digest."""
    digest.update(f"{array.dtype}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)


def _problems(data: Dataset) -> Iterator[str]:
    """Yield what is wrong with a data set, most basic first (later checks assume that earlier ones passed)."""
    n, n_classes = len(data.images), len(data.classes)
    if data.images.ndim != 4 or data.images.dtype not in IMAGE_DTYPES:
        yield (
            f"images are {data.images.dtype} of shape {data.images.shape}; "
            "expected uint8, uint16 or float32 of shape (n, channels, height, width)"
        )
    if len(data.channels) != data.images.shape[1]:
        yield f"{len(data.channels)} channel names for {data.images.shape[1]} channels"
    if n_classes < 2 or len(set(data.classes)) != n_classes:
        yield f"classes are {list(data.classes)}; at least two different ones are needed"
    if data.multilabel:
        if data.labels.dtype != np.bool_ or data.labels.shape != (n, n_classes):
            yield f"multi-label labels are {data.labels.dtype} {data.labels.shape}; expected bool ({n}, {n_classes})"
    elif data.labels.dtype != np.int64 or data.labels.shape != (n,):
        yield f"labels are {data.labels.dtype} {data.labels.shape}; expected int64 ({n},)"
    elif n and not (data.labels.min() >= 0 and data.labels.max() < n_classes):
        yield f"labels run from {data.labels.min()} to {data.labels.max()}; allowed are 0 to {n_classes - 1}"
    if data.groups is not None and data.groups.shape != (n,):
        yield f"groups have shape {data.groups.shape}; expected ({n},)"
    if data.ids is not None and data.ids.shape != (n,):
        yield f"ids have shape {data.ids.shape}; expected ({n},)"
    used = np.concatenate([data.split[part] for part in PARTS])
    for part in PARTS:
        if not len(data.split[part]):
            yield f"the {part} part of split {data.split.name!r} is empty"
    if len(used) and not (used.min() >= 0 and used.max() < n):
        yield f"split {data.split.name!r} names image {used.max()}, but there are {n}"
    if len(np.unique(used)) != len(used):
        yield f"split {data.split.name!r} uses an image more than once"
