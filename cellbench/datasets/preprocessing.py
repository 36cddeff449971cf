"""Preprocessing: what is done to images before any method sees them. It is a part of the run and of its record."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from ..core.errors import UsageError, did_you_mean
from ..core.machine.memory import release_pages
from ..core.mixed_values import Document, Facts
from ..core.settings import Settings, setting

CHUNK_BYTES = 2**23  # of images that are worked on at a time
PERCENTILES = (1.0, 99.0)
SAMPLE = 2000  # training images from which percentiles are taken, at most: with more they hardly change

# The value that becomes 0 in each channel, and its distance from the value that becomes 1, each (1, channels, 1, 1).
Range = tuple[NDArray[np.float32], NDArray[np.float32]]


def _names(given: object) -> tuple[str, ...] | None:
    """Return channel names as a tuple of strings, whether given as one name, as a tuple or as numbers."""
    if given is None:
        return None
    return tuple(map(str, given if isinstance(given, tuple) else (given,)))


Pixels = Annotated[int, Field(ge=8, le=1024)]
PIXELS = "a whole number of pixels from 8 to 1024"


class Preprocessing(Settings):
    """The steps, in the order in which they are done; one that is None is left out.

    channels: names of the channels to keep, in that order.
    three_channels: make three of them, as nets for RGB want: a single one is repeated, two get an empty third, and of
    more than three the later ones (the Atlas's yellow) are added to the first two.
    crop: side in pixels of the square that is kept from the centre.
    mask: 'otsu' sets to 0 what is darker than Otsu's threshold (1979) for the mean over the image's channels.
    size: side in pixels to which images are resized (bilinear, antialiased); None keeps them as they are.
    intensity: 'percentile' maps the 1st and 99th percentile of each channel to 0 and 1 and clips what lies beyond;
    'min-max' maps its least and greatest value to 0 and 1; 'standardise' gives it mean 0 and standard deviation 1. All
    are measured on training images alone.
    """

    channels: Annotated[
        tuple[str, ...] | None, BeforeValidator(_names), setting("channels to keep, in this order", may_be="names")
    ] = None
    three_channels: Annotated[bool | None, setting("make three of the channels, as nets for RGB want")] = None
    crop: Annotated[Pixels | None, setting("side of the square that is kept from the centre", may_be=PIXELS)] = None
    mask: Annotated[Literal["otsu"] | None, setting("make what is darker than Otsu's threshold black")] = None
    size: Annotated[Pixels | None, setting("side that images are resized to; none keeps their own", may_be=PIXELS)] = 64
    intensity: Annotated[
        Literal["percentile", "min-max", "standardise"] | None,
        setting("scale each channel by the range that it has over all training images"),
    ] = None

    @property
    def steps(self) -> Document:
        """The steps that are done, for a record."""
        return {name: value for name, value in vars(self).items() if value not in (None, False)}

    @classmethod
    def of_steps(cls, steps: Facts) -> "Preprocessing":
        """The preprocessing that a record describes. A step that is not in the record is left out."""
        return cls(**{"size": None, **steps})

    def kept_channels(self, channels: Sequence[str]) -> list[int]:
        """Positions of the channels that are kept. Raises UsageError for a name that is not among `channels`."""
        if self.channels is None:
            return list(range(len(channels)))
        for name in self.channels:
            if name not in channels:
                raise UsageError(f"no channel is called {name!r}; {did_you_mean(name, channels)}")
        return [list(channels).index(name) for name in self.channels]

    def channel_names(self, channels: Sequence[str]) -> tuple[str, ...]:
        """Names of the channels after `apply`; () where it makes three of them, which are mixtures without a name."""
        return () if self.three_channels else tuple(channels[k] for k in self.kept_channels(channels))

    def shape(self, images: NDArray, channels: Sequence[str]) -> list[int]:
        """Return [channels, height, width] that `images` will have after `apply`.

        Raises UsageError when a channel isn't there, or when the crop is larger than the images.
        """
        height, width = images.shape[2:]
        if self.crop is not None:
            if self.crop > (smaller := min(height, width)):
                raise UsageError(
                    f"crop is {self.crop} and images have {height}×{width} pixels; give at most {smaller}, or none"
                )
            height = width = self.crop
        kept = len(self.kept_channels(channels))
        return [3 if self.three_channels else kept, self.size or height, self.size or width]

    def apply(
        self, images: NDArray, index: Mapping[str, NDArray[np.int64]], channels: Sequence[str]
    ) -> tuple[dict[str, NDArray], Range | None]:
        """The preprocessed images of each part, and the range that was measured on 'train' to scale intensity.

        images: (n, channels, height, width). index: the positions of each part's images. The result has the dtype of
        `images`, or float32 when intensity is scaled. Images are worked on chunk by chunk: a memory map never has to
        fit in memory, though the result does.
        """
        done = {part: self._shaped(images, at, channels) for part, at in index.items()}
        measured = None if self.intensity is None else _range(done["train"], self.intensity, images.dtype)
        for values in done.values():
            self._scale(values, measured)
        return done, measured

    def apply_measured(self, images: NDArray, channels: Sequence[str], measured: Range | None) -> NDArray:
        """Return other images, preprocessed with the range that `apply` measured."""
        done = self._shaped(images, np.arange(len(images)), channels)
        self._scale(done, measured)
        return done

    def _shaped(self, images: NDArray, at: NDArray[np.int64], channels: Sequence[str]) -> NDArray:
        """The images at these positions after all steps but intensity; float32 when that comes next."""
        kept = self.kept_channels(channels)
        all_kept = kept == list(range(len(channels)))
        dtype = images.dtype if self.intensity is None else np.dtype(np.float32)
        done = np.empty((len(at), *self.shape(images, channels)), dtype)
        for rows in _chunks(images, len(at)):
            chunk = np.asarray(images[at[rows]])
            done[rows] = self._reshape(chunk if all_kept else chunk[:, kept])
            release_pages(images)
        return done

    def _scale(self, images: NDArray, measured: Range | None) -> None:
        """Scale the intensity of images in place."""
        if measured is not None:
            _scale(images, *measured, cut=self.intensity == "percentile")

    def _reshape(self, images: NDArray) -> NDArray:
        """Return the images after all steps but the choice of channels and the scaling of intensity."""
        if self.three_channels:
            images = three_channels(images)
        if self.crop is not None:
            images = centre_crop(images, self.crop)
        if self.mask is not None:
            images = otsu_masked(images)
        if self.size is not None and images.shape[2:] != (self.size, self.size):
            images = resize(images, self.size)
        return images


def _chunks(images: NDArray, n: int) -> Iterator[slice]:
    """Slices of the rows 0 to n, each of about CHUNK_BYTES of such images."""
    step = max(1, CHUNK_BYTES // max(1, images[:1].nbytes))
    return (slice(start, start + step) for start in range(0, n, step))


def three_channels(images: NDArray) -> NDArray:
    """(n, c, h, w) → (n, 3, h, w) by the rule in Preprocessing. Sums are clipped to the greatest value of the dtype."""
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
    """The central square of `side` pixels; images must be at least as large."""
    top, left = ((length - side) // 2 for length in images.shape[2:])
    return images[:, :, top : top + side, left : left + side]


def otsu_masked(images: NDArray) -> NDArray:
    """Copies of images with the background set to 0: pixels whose mean over channels is at most Otsu's threshold."""
    from skimage.filters import threshold_otsu

    out = images.copy()
    for image in out:
        brightness = image.mean(0)
        image[:, brightness <= threshold_otsu(brightness)] = 0
    return out


def resize(images: NDArray, size: int) -> NDArray:
    """(n, c, h, w) → (n, c, size, size), bilinear with antialiasing, rounded for integer dtypes."""
    import torch
    from torch.nn.functional import interpolate

    small = interpolate(torch.from_numpy(images.astype(np.float32)), size=(size, size), mode="bilinear", antialias=True)
    if images.dtype.kind == "u":
        small = small.round_().clamp_(0, np.iinfo(images.dtype).max)
    return small.numpy().astype(images.dtype)


def _range(train: NDArray[np.float32], rule: str, dtype: np.dtype) -> Range:
    """The range of each channel by the rule 'percentile', 'min-max' or 'standardise'.

    dtype: the type that the values had before they became float32, in which percentiles are computed.
    """
    if rule == "standardise":
        low, span = _mean_and_deviation(train)
    elif rule == "min-max":
        low = train.min((0, 2, 3)).astype(np.float64)
        span = train.max((0, 2, 3)) - low
    else:
        drawn = train[np.random.default_rng(0).permutation(len(train))[:SAMPLE]]
        ends = [np.percentile(drawn[:, k].astype(dtype), PERCENTILES) for k in range(train.shape[1])]
        low, high = np.array(ends).T
        span = high - low
    span = np.where(span > 0, span, 1)  # a channel of one value becomes 0
    return low.astype(np.float32).reshape(1, -1, 1, 1), span.astype(np.float32).reshape(1, -1, 1, 1)


def _mean_and_deviation(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, in two passes over chunks in float64."""
    pixels = images[:, 0].size
    total = np.zeros(images.shape[1])
    for rows in _chunks(images, len(images)):
        total += images[rows].sum((0, 2, 3), dtype=np.float64)
    mean = total / pixels
    squares = np.zeros(images.shape[1])
    for rows in _chunks(images, len(images)):
        squares += np.square(images[rows] - mean.reshape(1, -1, 1, 1)).sum((0, 2, 3))
    return mean, np.sqrt(squares / pixels)


def _scale(images: NDArray[np.float32], low: NDArray[np.float32], span: NDArray[np.float32], *, cut: bool) -> None:
    """Map low to 0 and low + span to 1, in place. cut: clip what lies beyond."""
    for rows in _chunks(images, len(images)):
        images[rows] -= low
        images[rows] /= span
        if cut:
            images[rows].clip(0, 1, out=images[rows])
