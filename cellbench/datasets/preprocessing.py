"""What is done to images before any method sees them; part of the run and of its record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError, did_you_mean

CHUNK = 1024
SIZES = range(8, 1025)
INTENSITIES = ("percentile", "min-max", "standardise")
PERCENTILES = (1.0, 99.0)
MASKS = ("otsu",)
SAMPLE = 2000  # training images that percentiles are read off, at most: they change little after that


@dataclass(frozen=True)
class Preprocessing:
    """Steps in the order in which they are done; a step that is None is not.

    channels: names of the channels to keep, in that order.
    three_channels: as a net for RGB wants them: one is repeated, two get an empty third, of more than three the
    fourth and later ones (the Atlas's yellow) are added to the first two.
    crop: side in pixels of the square kept from the centre.
    mask: 'otsu' sets to 0 what is darker than Otsu's threshold of the image's channel mean (Otsu, 1979).
    size: side in pixels that images are resized to (bilinear, antialiased); None keeps their own.
    intensity: 'percentile' maps the 1st and 99th percentile of each channel to 0 and 1 and cuts beyond, 'min-max' its
    least and greatest value, 'standardise' gives it mean 0 and deviation 1; all of training images only.
    """

    channels: tuple[str, ...] | None = None
    three_channels: bool | None = None
    crop: int | None = None
    mask: str | None = None
    size: int | None = 64
    intensity: str | None = None

    def __post_init__(self) -> None:
        if self.channels is not None:  # one form for 'cell', ('cell',) and channels whose names are numbers
            several = isinstance(self.channels, list | tuple)
            object.__setattr__(self, "channels", tuple(map(str, self.channels if several else (self.channels,))))
        if self.three_channels not in (None, True, False):
            raise UsageError(f"three_channels is {self.three_channels!r}; give true or false")
        for name, allowed in (("intensity", INTENSITIES), ("mask", MASKS)):
            if (value := getattr(self, name)) not in (None, *allowed):
                raise UsageError(f"{name} is {value!r}; choose one of {', '.join(allowed)}, or none")
        for name in ("size", "crop"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value not in SIZES):
                raise UsageError(
                    f"{name} is {value!r}; give a whole number of pixels from {SIZES[0]} to {SIZES[-1]}, or none"
                )

    @property
    def steps(self) -> dict[str, Any]:
        """The steps that are done, for a record."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False)}

    @classmethod
    def of_steps(cls, steps: Mapping[str, Any]) -> "Preprocessing":
        """The preprocessing that a record's steps describe: one that isn't on record isn't done."""
        return cls(**{"size": None, **steps})

    def chosen(self, channels: Sequence[str]) -> list[int]:
        """Positions of the channels to keep. Raises UsageError when one is not there."""
        if self.channels is None:
            return list(range(len(channels)))
        for name in self.channels:
            if name not in channels:
                raise UsageError(f"no channel is called {name!r}; {did_you_mean(name, channels)}")
        return [list(channels).index(name) for name in self.channels]

    def shape(self, images: NDArray, channels: Sequence[str]) -> list[int]:
        """[channels, height, width] of what `apply` makes of such images."""
        height, width = (min(side, self.crop or side) for side in images.shape[2:])
        kept = len(self.chosen(channels))
        return [3 if self.three_channels else kept, self.size or height, self.size or width]

    def apply(self, parts: Mapping[str, NDArray], channels: Sequence[str]) -> dict[str, NDArray]:
        """Images (n, channels, height, width) by part, done; float32 if intensity is changed, else their own dtype.

        Whatever is measured on images is measured on those of 'train'. Images that need nothing are not copied.
        """
        kept = self.chosen(channels)
        whole = kept == list(range(len(channels)))
        done = {part: self._shaped(images if whole else images[:, kept]) for part, images in parts.items()}
        if self.intensity is None:
            return done
        scale = _scale(done["train"], self.intensity)
        return {part: scale(images) for part, images in done.items()}

    def _shaped(self, images: NDArray) -> NDArray:
        if self.three_channels:
            images = three_channels(images)
        if self.crop is not None:
            images = centre_crop(images, self.crop)
        if self.mask is not None:
            images = otsu_masked(images)
        if self.size is not None and images.shape[2:] != (self.size, self.size):
            images = resize(images, self.size)
        return images


def three_channels(images: NDArray) -> NDArray:
    """(n, c, h, w) to (n, 3, h, w); see Preprocessing for the rule. Sums are cut at the greatest value of the dtype."""
    n, channels, height, width = images.shape
    if channels == 1:
        return np.repeat(images, 3, axis=1)
    if channels == 2:
        return np.concatenate([images, np.zeros((n, 1, height, width), images.dtype)], axis=1)
    if channels == 3:
        return images
    out = images[:, :3].astype(np.float32)
    out[:, :2] += images[:, 3:].sum(1, keepdims=True, dtype=np.float32)
    if images.dtype.kind == "u":
        out = out.clip(0, np.iinfo(images.dtype).max)
    return out.astype(images.dtype)


def centre_crop(images: NDArray, side: int) -> NDArray:
    """The central square of at most `side` pixels."""
    top, left = (max(0, (length - side) // 2) for length in images.shape[2:])
    return images[:, :, top : top + side, left : left + side]


def otsu_masked(images: NDArray) -> NDArray:
    """Images with their background, by Otsu's threshold of the mean over channels, set to 0."""
    from skimage.filters import threshold_otsu

    out = images.copy()
    for image in out:
        brightness = image.mean(0)
        image[:, brightness <= threshold_otsu(brightness)] = 0
    return out


def resize(images: NDArray, size: int) -> NDArray:
    """(n, c, h, w) to (n, c, size, size), bilinear with antialiasing, rounded for integer dtypes."""
    import torch
    from torch.nn.functional import interpolate

    out = np.empty((*images.shape[:2], size, size), images.dtype)
    for start in range(0, len(images), CHUNK):
        chunk = torch.from_numpy(images[start : start + CHUNK].astype(np.float32))
        small = interpolate(chunk, size=(size, size), mode="bilinear", antialias=True)
        if images.dtype.kind == "u":
            small = small.round_().clamp_(0, np.iinfo(images.dtype).max)
        out[start : start + CHUNK] = small.numpy().astype(images.dtype)
    return out


def _scale(train: NDArray, rule: str) -> Callable[[NDArray], NDArray]:
    """The map of intensities that `rule` reads off training images, channel by channel."""
    by_channel = np.moveaxis(train, 1, 0).reshape(train.shape[1], -1)
    if rule == "standardise":
        low = by_channel.mean(1, dtype=np.float64)
        span = by_channel.std(1, dtype=np.float64)
    elif rule == "min-max":
        low, high = by_channel.min(1).astype(np.float64), by_channel.max(1)
        span = high - low
    else:
        drawn = np.random.default_rng(0).permutation(len(train))[:SAMPLE]
        low, high = np.percentile(np.moveaxis(train[drawn], 1, 0).reshape(train.shape[1], -1), PERCENTILES, axis=1)
        span = high - low
    span = np.where(span > 0, span, 1)  # an empty channel stays 0
    low, span = (values.astype(np.float32).reshape(1, -1, 1, 1) for values in (low, span))

    def scaled(images: NDArray) -> NDArray:
        out = (images.astype(np.float32) - low) / span
        return out.clip(0, 1) if rule == "percentile" else out

    return scaled
